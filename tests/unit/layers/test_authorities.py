"""The layer has all authorities of certifi, each in the file where OpenSSL looks for it."""

import re
import ssl
from pathlib import Path

import certifi
import pytest
import trustme

import authorities

BUNDLE = Path(certifi.where()).read_text()
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer") / "authorities"
    authorities.lay_out(BUNDLE, folder)
    return folder


def test_every_authority_is_there_once(folder: Path) -> None:
    files = [path.read_text() for path in (folder / "public").iterdir()]
    assert sorted(files) == sorted(PEM.findall(BUNDLE))


def test_the_authorities_of_aws_are_there(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "aws.pem")
    loaded = str(context.get_ca_certs())
    assert context.cert_store_stats()["x509"] == len(authorities.AWS_AUTHORITIES)
    assert [label for label in authorities.AWS_AUTHORITIES if f"'{label}'" not in loaded] == []


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Amazon Root CA 1", "ce5e74ef"),
        ("DigiCert Global Root G2", "607986c7"),
        ("ISRG Root X1", "4042bcee"),
        ("NetLock Arany", "988a38cb"),
    ],
)
def test_names_are_those_that_openssl_rehash_makes(folder: Path, label: str, name: str) -> None:
    text = (folder / "public" / f"{name}.0").read_text()
    _, _, rest = BUNDLE.partition(f'# Label: "{label}')
    assert PEM.findall(rest)[0] == text


@pytest.mark.parametrize(
    "organization",
    ["Plain", "  Spaces   within and  around ", "UPPER lower ÄÖÜ", "東京", "x" * 64],
)
def test_openssl_finds_an_authority_by_its_subject(organization: str, tmp_path: Path) -> None:
    authority = trustme.CA(organization_name=organization, organization_unit_name="Unit")
    pem = authority.cert_pem.bytes().decode()
    name = authorities.name_hash(ssl.PEM_cert_to_DER_cert(pem))
    (tmp_path / f"{name}.0").write_text(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(capath=tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("endpoint.test").configure_cert(server)
    shake_hands(client, server)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Shake hands in memory; raises SSLError when the client does not trust the server."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="endpoint.test"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)


@pytest.mark.parametrize(
    ("bundle", "says"),
    [
        (BUNDLE.replace('"Amazon Root CA 3"', '"Amazon Root CA 33"'), "Amazon Root CA 3:"),
        (BUNDLE.replace('# Label: "ISRG Root X1"', ""), "without a label"),
    ],
    ids=["aws", "label"],
)
def test_a_file_in_another_format_ends_the_build(bundle: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        authorities.lay_out(bundle, tmp_path / "authorities")
