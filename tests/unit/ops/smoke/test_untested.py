"""What a run says of the list of what has not been tested."""

import re
from pathlib import Path

from ops.smoke.report import Report
from ops.smoke.untested import CHECKS, OUT_OF_REACH, UNTESTED, list_untested
from tests.support.smoked_stack import SmokedStack

ROOT = Path(__file__).parents[4]


def test_it_is_that_of_the_documentation() -> None:
    listed = (ROOT / "docs/operations.md").read_text().partition("## What has not been tested")[2]
    assert re.findall(r"^- (.+?)[;.]$", listed, re.MULTILINE) == list(UNTESTED.values())


def test_each_line_has_a_check_or_says_why_there_is_none() -> None:
    assert UNTESTED.keys() == CHECKS.keys() ^ OUT_OF_REACH.keys()


def test_each_line_has_the_outcome_of_its_check(stack: SmokedStack) -> None:
    lines: list[str] = []
    report = Report(lines.append)
    report.judge(CHECKS["iam"], True)
    report.judge(CHECKS["mappings"], False)
    list_untested(stack.target, report)
    assert "  yes           IAM as AWS itself evaluates it" in lines
    assert "  no            how long mappings take to change their states" in lines
    assert "  not reachable cold starts on Lambda's own machines" in lines
    assert "  not reachable OpenID providers: a person has to sign in" in lines
