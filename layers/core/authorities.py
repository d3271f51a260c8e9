"""Splits certifi's authorities when the layer is built, so that a process reads only what it needs.

    python authorities.py CERTIFI_PEM FOLDER

Reading all of them takes 25 ms of CPU for each TLS context, which is a twelfth of a cold start.

- `FOLDER/public/` has a file for each authority. OpenSSL finds the issuer of a certificate there,
  because the file is named after a hash of the authority's subject. `openssl rehash` would make
  the same names, but not every builder has it. OpenSSL trusts the same authorities as with
  certifi's file, but reads each only when it is needed.
- `FOLDER/aws.pem` has the authorities that sign the certificates of AWS's endpoints.
"""

import base64
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

AWS_AUTHORITIES = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
"""Amazon Trust Services asks everyone who keeps a list of authorities to include all five."""

_LABELLED = re.compile(
    r'^# Label: "(?P<label>[^"]+)"$.*?'
    r"(?P<pem>^-----BEGIN CERTIFICATE-----$.*?^-----END CERTIFICATE-----$)",
    re.DOTALL | re.MULTILINE,
)

_SEQUENCE, _SET, _UTF8, _VERSION = 0x30, 0x31, 0x0C, 0xA0
_ENCODINGS = {
    _UTF8: "utf-8",
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # T61String, which OpenSSL takes for Latin-1
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
"""Encodings of the types of text in a name, by their tags in DER (ITU-T X.690)."""


def elements(der: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The tag, the content and the whole encoding of each element of a DER encoding."""
    at = 0
    while at < len(der):
        tag, size, start = der[at], der[at + 1], at + 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start])
        end = start + size
        yield tag, der[start:end], der[at:end]
        at = end


def encoded(tag: int, content: bytes) -> bytes:
    """The DER encoding of an element."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def subject(certificate: bytes) -> bytes:
    """The content of a certificate's subject.

    It follows version (which may be absent), serial number, algorithm, issuer and validity
    (RFC 5280, 4.1).
    """
    _, whole, _ = next(elements(certificate))
    _, signed, _ = next(elements(whole))
    parts = [content for tag, content, _ in elements(signed) if tag != _VERSION]
    return parts[4]


def canonical(name: bytes) -> bytes:
    """A name in the form in which OpenSSL hashes it: UTF-8, lower case, and single spaces."""
    relative_names = []
    for _, relative_name, _ in elements(name):
        attributes = []
        for _, attribute, _ in elements(relative_name):
            (_, _, kind), (tag, text, value) = elements(attribute)
            if tag in _ENCODINGS:
                words = text.decode(_ENCODINGS[tag]).encode().lower().split()
                value = encoded(_UTF8, b" ".join(words))
            attributes.append(encoded(_SEQUENCE, kind + value))
        relative_names.append(encoded(_SET, b"".join(sorted(attributes))))
    return b"".join(relative_names)


def name_hash(certificate: bytes) -> str:
    """The hash that OpenSSL expects as the name of an authority's file."""
    digest = hashlib.sha1(canonical(subject(certificate)), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def lay_out(bundle: str, folder: Path) -> None:
    """Make `folder` from certifi's text; raises ValueError when its format has changed."""
    found = [(match["label"], match["pem"] + "\n") for match in _LABELLED.finditer(bundle)]
    if len(found) != bundle.count("-----BEGIN CERTIFICATE-----"):
        raise ValueError("certifi's file has certificates without a label: adapt authorities.py")
    public = folder / "public"
    public.mkdir(parents=True)
    seen: Counter[str] = Counter()
    for _, pem in found:
        hashed = name_hash(base64.b64decode("".join(pem.splitlines()[1:-1])))
        (public / f"{hashed}.{seen[hashed]}").write_text(pem)
        seen[hashed] += 1
    by_label = dict(found)
    missing = [label for label in AWS_AUTHORITIES if label not in by_label]
    if missing:
        raise ValueError(f"certifi no longer has {', '.join(missing)}: adapt authorities.py")
    (folder / "aws.pem").write_text("".join(by_label[label] for label in AWS_AUTHORITIES))


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]).read_text(), Path(sys.argv[2]))
