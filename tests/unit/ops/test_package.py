"""A package has zips that are named by their content, and a template that names them."""

import hashlib
import io
import re
import zipfile
from pathlib import Path

import pytest

from ops import package

BUILT = """\
Parameters:
  LogLevel:
    Type: String
Resources:
  SenderFunction:
    Properties:
      CodeUri: SenderFunction
  CoreLayer:
    Properties:
      ContentUri: CoreLayer
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    for name in ("SenderFunction/app.py", "CoreLayer/python/a.py", "CoreLayer/python/run.sh"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
        path.chmod(0o644)
    (folder / "CoreLayer/python/run.sh").chmod(0o755)
    (folder / "template.yaml").write_text(BUILT)
    return folder


def test_the_template_names_a_zip_of_each_folder_by_its_content(
    build: Path, tmp_path: Path
) -> None:
    sboms = tmp_path / "sboms"
    sboms.mkdir()
    (sboms / "layer.cdx.json").write_text("{}")
    out = tmp_path / "out"
    names = package.package(build, sboms, out)
    assert sorted(names) == sorted(path.name for path in out.iterdir())
    template = (out / "template.yaml").read_text()
    keys = re.findall(
        r"Bucket: !Ref ArtefactBucket\n        Key: !Sub \$\{ArtefactPrefix\}(\S+)$", template, re.M
    )
    assert len(keys) == 2
    for key, file in zip(keys, ("SenderFunction/app.py", "CoreLayer/python/a.py"), strict=True):
        content = (out / key).read_bytes()
        assert key == f"{hashlib.sha256(content).hexdigest()}.zip"
        inside = file.partition("/")[2]
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.read(inside).decode() == f"content of {file}"
    assert "  ArtefactBucket:\n    Type: String\n    AllowedPattern" in template
    sums = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in names
        if name != "SHA256SUMS"
    }


def test_a_known_bucket_is_the_parameters_default(build: Path, tmp_path: Path) -> None:
    package.package(build, tmp_path, tmp_path / "out", "releases", "1.0.0/")
    template = (tmp_path / "out/template.yaml").read_text()
    assert '  ArtefactBucket:\n    Type: String\n    Default: "releases"\n' in template
    assert '  ArtefactPrefix:\n    Type: String\n    Default: "1.0.0/"\n' in template


def test_a_zip_depends_on_names_content_and_modes_alone(build: Path) -> None:
    folder = build / "CoreLayer"
    before = package.zipped(folder)
    (folder / "python/a.py").touch()
    assert package.zipped(folder) == before
    (folder / "python/a.py").chmod(0o755)
    assert package.zipped(folder) != before


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--bucket", "Upper"], "BUCKET"),
        (["--bucket", "s3://b"], "BUCKET"),
        (["--prefix", "no-slash"], "PREFIX"),
        (["--prefix", '"/'], "PREFIX"),
    ],
)
def test_an_impossible_bucket_or_prefix_is_refused(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"{name} is '{arguments[1]}', expected")
