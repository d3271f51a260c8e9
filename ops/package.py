"""Packages the built artefact: a folder that deploys without building anything.

    python -m ops.package --bucket NAME --prefix PATH/      uses .aws-sam/build (see Makefile)

The folder has a zip for each function and the layer, named by its content, the template that names
them, the SBOMs if `make sbom` has made them, and the checksums of all files.
"""

import argparse
import hashlib
import io
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from ops.build import BUILD_FOLDER
from ops.sbom import SBOM_FOLDER

PACKAGE_FOLDER = Path(".aws-sam/package")
TEMPLATE = "template.yaml"
CHECKSUMS = "SHA256SUMS"

# One date for every file of a zip, so that equal content makes an equal zip. It is the oldest that
# a zip can hold.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)

# zlib's best. The layer takes a second.
ZIP_LEVEL = 9

_SOURCE = re.compile(r"^(?P<indent> +)(?P<property>CodeUri|ContentUri): (?P<folder>\w+)$", re.M)

BUCKET = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?")
"""S3's rules for names, as far as letters go; "" leaves the bucket to the deployer."""

PREFIX = re.compile(r"([A-Za-z0-9_.-]+/)*")
"""The path of a folder, with a slash at the end."""

PARAMETERS = """\
Parameters:
  ArtefactBucket:
    Type: String
{default}    AllowedPattern: ^[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]$
    Description: S3 bucket in the stack's Region that has the zips of this package.
  ArtefactPrefix:
    Type: String
    Default: "{prefix}"
    AllowedPattern: ^([A-Za-z0-9_.-]+/)*$
    Description: Folder of the zips in ArtefactBucket, with a slash at the end. Empty = its top.
"""


def zipped(folder: Path) -> bytes:
    """A folder as a zip that depends on nothing but its content and the version of zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=ZIP_LEVEL) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_DATE)
            info.external_attr = path.stat().st_mode << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, ZIP_LEVEL)
    return buffer.getvalue()


def packaged_template(built: str, key_of: Callable[[str], str], bucket: str, prefix: str) -> str:
    """The built template, which names folders, with a bucket's objects in their place.

    `key_of` gives the name of a folder's zip. A `bucket` of "" has to be given when deploying.
    """

    def objects(match: re.Match[str]) -> str:
        indent = match["indent"]
        return (
            f"{indent}{match['property']}:\n"
            f"{indent}  Bucket: !Ref ArtefactBucket\n"
            f"{indent}  Key: !Sub ${{ArtefactPrefix}}{key_of(match['folder'])}"
        )

    default = f'    Default: "{bucket}"\n' if bucket else ""
    parameters = PARAMETERS.format(default=default, prefix=prefix)
    return _SOURCE.sub(objects, built).replace("Parameters:\n", parameters, 1)


def package(build: Path, sboms: Path, out: Path, bucket: str = "", prefix: str = "") -> list[str]:
    """Write the package of the artefact in `build` to `out`, replacing it; the files' names."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)

    def zip_of(folder: str) -> str:
        content = zipped(build / folder)
        name = f"{hashlib.sha256(content).hexdigest()}.zip"
        (out / name).write_bytes(content)
        return name

    built = (build / TEMPLATE).read_text()
    (out / TEMPLATE).write_text(packaged_template(built, zip_of, bucket, prefix))
    for sbom in sorted(sboms.glob("*.json")):
        shutil.copy(sbom, out)
    names = sorted(path.name for path in out.iterdir())
    sums = (f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (out / CHECKSUMS).write_text("".join(sums))
    return [*names, CHECKSUMS]


def main(arguments: list[str]) -> int:
    """Package, and say how it is deployed; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.package")
    parser.add_argument("--bucket", default="")
    parser.add_argument("--prefix", default="")
    options = parser.parse_args(arguments)
    for name, rule in (("bucket", BUCKET), ("prefix", PREFIX)):
        value = getattr(options, name)
        if not rule.fullmatch(value):
            print(f"{name.upper()} is '{value}', expected {rule.pattern}", file=sys.stderr)
            return 1
    names = package(BUILD_FOLDER, SBOM_FOLDER, PACKAGE_FOLDER, options.bucket, options.prefix)
    print(f"{PACKAGE_FOLDER}: {len(names)} files; docs/supply-chain.md says how it is deployed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
