"""The notes of a release are the section of the changelog that its tag names."""

import pytest

from ops import notes

CHANGELOG = """\
# Changelog

## Unreleased

A

## 1.10.0 - 2026-01-02

B

## 1.1.0 - 2026-01-01

C
"""


@pytest.mark.parametrize(
    ("version", "text"), [("1.10.0", "B"), ("1.1.0", "C"), ("1.1", ""), ("1.1.1", ""), ("", "")]
)
def test_the_notes_are_those_of_the_version(version: str, text: str) -> None:
    assert notes.notes(CHANGELOG, version) == text


def test_a_tag_that_the_changelog_does_not_know_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert notes.main(["v0.0.0"]) == 1
    assert "v0.0.0 needs a section '## 0.0.0 - <date>'" in capsys.readouterr().err
