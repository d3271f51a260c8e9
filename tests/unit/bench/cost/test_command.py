"""The command's arguments, where it takes CPU from, and the picture."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.cost import measured, picture
from bench.cost.__main__ import WrongLoadError, main, parse, statement, table
from bench.cost.model import Load, bill


def test_settings_are_read() -> None:
    arguments = ["RATE=20", "LATENCY=0.5", "PUBLISH=10", "ATTEMPT_LOG=off", "HISTORY=0"]
    expected = Load(rate=20, latency=0.5, publish=10, attempt_log="off", history=False)
    assert parse(arguments) == expected


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("RATE=0", "RATE: 0 is not from 1e-06 to 1e+06"),
        ("RATE=nan", "RATE: nan is not from 1e-06 to 1e+06"),
        ("LATENCY=slow", "LATENCY: 'slow' is no number"),
        ("PUBLISH=1.5", "PUBLISH: 1.5 is not a whole number"),
        ("HISTORY=yes", "HISTORY: 'yes' is neither 0 nor 1"),
        ("ATTEMPT_LOG=some", "ATTEMPT_LOG: 'some' is none of all, sampled, failures, off"),
    ],
)
def test_a_wrong_setting_is_named(
    argument: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument]) == 2
    assert capsys.readouterr().err == f"{message}\n"


def test_an_unknown_setting_gets_the_list() -> None:
    with pytest.raises(WrongLoadError, match="SPEED: no such setting; there are RATE, LATENCY"):
        parse(["SPEED=1"])


def test_a_statement_adds_up() -> None:
    text = "\n".join(statement(Load()))
    (total,) = re.findall(r"^all +([\d,.]+) +([\d.]+)$", text, re.MULTILINE)
    parts = re.findall(r"= \w+ +([\d,.]+) +([\d.]+)$", text, re.MULTILINE)
    assert len(parts) == 4
    assert float(total[1]) == pytest.approx(sum(float(each) for _, each in parts), abs=0.0003)
    assert float(total[1]) == pytest.approx(bill(Load()).per_million(), abs=0.0001)


def test_the_documented_table_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the recorded CPU, which is also that of somebody who has not run make bench."""
    monkeypatch.setattr(measured, "cpu", lambda: measured.RECORDED)
    documented = Path("docs/cost.md").read_text().splitlines()
    rows = [line for line in table() if line.startswith("| ")]
    begin = documented.index(rows[0])
    for row in rows[1:]:
        (found,) = [
            line
            for line in documented[begin : begin + 20]
            if line.startswith(row[: row.index("|", 2) + 1])
        ]
        numbers = [re.findall(r"[\d.]+", each.replace(",", "")) for each in (found, row)]
        there, computed = (list(map(float, each)) for each in numbers)
        assert there == pytest.approx(computed, rel=0.05, abs=0.02), row


def test_cpu_is_that_of_the_last_bench(tmp_path: Path) -> None:
    figures = {
        "handlers": {measured.ONE: 6.0, measured.HUNDRED: 2.04},
        "sender": {measured.SENDER: 0.9},
    }
    results = tmp_path / "results.json"
    document = {
        "commit": "abc",
        "machine": "2 x A",
        "parts": {
            part: {"figures": [{"name": name, "median": value} for name, value in each.items()]}
            for part, each in figures.items()
        },
    }
    results.write_text(json.dumps(document))
    found = measured.cpu(results)
    assert found[:3] == pytest.approx((4.0, 2.0, 0.9))
    assert "abc" in found.source
    assert measured.cpu(tmp_path / "none.json") == measured.RECORDED

    del document["parts"]["sender"]  # type: ignore[attr-defined]
    results.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"results\.json lacks 'CPU per event': run make bench"):
        measured.cpu(results)


def test_the_picture_has_a_curve_for_each_and_both_themes() -> None:
    text = picture.draw()
    root = ET.fromstring(text)
    curves = [each for each in root.iter() if each.get("class", "").startswith("line ")]
    assert len(curves) == len(picture.CURVES)
    assert "prefers-color-scheme: dark" in text
