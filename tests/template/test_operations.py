"""What operators see: each alarm has its section, and each number on the dashboard exists."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dataconnectors.delivery.results import Verdict
from tests.template.conftest import ROOT, Template
from tests.template.test_promises import resources
from tools import dashboard

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
PARTS = ("What it means.", "How to look.", "What to do.", "How long.")

UNITS = {"Count", "Milliseconds", "Seconds"}

AWS_METRICS = {
    "AWS/ApiGateway": {"4xx", "5xx", "Count", "Latency"},
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    },
    "AWS/Lambda": {
        "ConcurrentExecutions",
        "Duration",
        "Errors",
        "Invocations",
        "IteratorAge",
        "Throttles",
    },
    "AWS/Logs": {"IncomingBytes"},
    "AWS/SQS": {"ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesVisible"},
}
"""AWS's own metrics that we use, as its documentation names them (for an HTTP API: 4xx and 5xx)."""

COMPUTED = {"@timestamp", "message"}
"""Fields that every line has."""


def sources() -> Iterator[ast.Module]:
    for folder in ("functions", "layers/core/dataconnectors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "functions/sender/core" not in path.as_posix():
                yield ast.parse(path.read_text())


def emitted() -> set[str]:
    """The names of the metrics that our code emits: keys of `{"Name": (value, "Unit")}`."""
    found = set()
    for module in sources():
        for node in ast.walk(module):
            pairs: list[tuple[Any, Any]] = []
            if isinstance(node, ast.Dict):
                pairs = list(zip(node.keys, node.values, strict=True))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                pairs = [(node.targets[0].slice, node.value)]
            for key, value in pairs:
                match key, value:
                    case ast.Constant(str(name)), ast.Tuple([_, ast.Constant(unit)]) if (
                        unit in UNITS
                    ):
                        found.add(name)
    return found


def logged() -> set[str]:
    """Each text in the code that may be the message or a field of a line of the log."""
    found = {verdict.value for verdict in Verdict} | COMPUTED
    for module in sources():
        for node in ast.walk(module):
            match node:
                case ast.Constant(str(text)):
                    found.add(text)
                case ast.AnnAssign(ast.Name(name)):  # Fields of reports, logged with `asdict`
                    found.add(name)
    return found


def widgets(template: Template) -> list[dict[str, Any]]:
    body = resources(template, "AWS::CloudWatch::Dashboard")["OperationsDashboard"]
    found: list[dict[str, Any]] = json.loads(body["DashboardBody"]["Fn::Sub"])["widgets"]
    return found


def shown(template: Template) -> Iterator[tuple[str, str]]:
    """Namespace and name of each metric on the dashboard, also of those that are searched for."""
    for widget in widgets(template):
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], str):
                yield metric[0], metric[1]
            else:
                expression = metric[0]["expression"]
                yield from re.findall(r'\{(AWS/\w+),\w+\} MetricName="(\w+)"', expression)


def queries(template: Template) -> list[str]:
    saved = resources(template, "AWS::Logs::QueryDefinition").values()
    return [each["QueryString"] for each in saved] + [
        widget["properties"]["query"] for widget in widgets(template) if widget["type"] == "log"
    ]


def test_each_alarm_leads_to_its_section_and_each_section_to_an_alarm(template: Template) -> None:
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    sections = dict(re.findall(r"^## (\w+Alarm)$(.*?)(?=^## |\Z)", RUNBOOK, re.M | re.S))
    assert sorted(sections) == sorted(alarms)
    for name, properties in alarms.items():
        text = properties["AlarmDescription"]["Fn::Sub"]
        assert text.endswith(f"${{RunbookUrl}}#{name.lower()}"), name
        assert len(text) < 900, "AWS: 1,024 characters, the address included"
        assert all(f"**{part}**" in sections[name] for part in PARTS), name
        assert re.search(r"\b[Uu]ntried|\btried", sections[name]), name
    assert template["Parameters"]["RunbookUrl"]["Default"] == "docs/runbook.md"


def test_each_metric_of_ours_is_emitted_and_shown(template: Template) -> None:
    ours = {name for namespace, name in shown(template) if namespace == "${AWS::StackName}"}
    assert ours == emitted()
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    watched = {each["MetricName"] for each in alarms if isinstance(each["Namespace"], dict)}
    assert watched <= ours


def test_each_other_metric_is_one_of_awss(template: Template) -> None:
    for namespace, name in shown(template):
        if namespace != "${AWS::StackName}":
            assert name in AWS_METRICS[namespace]


def test_the_dashboard_names_only_what_the_template_has(template: Template) -> None:
    body = resources(template, "AWS::CloudWatch::Dashboard")["OperationsDashboard"]
    known = set(template["Resources"]) | set(template["Parameters"])
    for name in re.findall(r"\$\{(?!AWS::)(\w+)", body["DashboardBody"]["Fn::Sub"]):
        assert name in known


def test_the_dashboards_widgets_do_not_overlap(template: Template) -> None:
    cells = [
        (x, y)
        for widget in widgets(template)
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24  # CloudWatch's grid


def test_each_query_reads_fields_that_are_logged(template: Template) -> None:
    known = logged()
    for query in queries(template):
        messages = set(re.findall(r"[\"']([a-z]+\.[a-z_]+)[\"']", query))
        assert messages
        assert messages <= known, query
        read = set(re.findall(r"(?:sum|max|pct|latest)\((\w+)", query))
        read |= {
            field.strip()
            for fields in re.findall(r"(?:\bby|\bfields) ([\w@, ]+)", query)
            for field in fields.split(",")
            if field.strip() and "bin" not in field
        }
        assert read <= known, query


def test_saved_queries_can_be_left_out_where_there_is_no_logs_insights(template: Template) -> None:
    names = resources(template, "AWS::Logs::QueryDefinition")
    assert {template["Resources"][name]["Condition"] for name in names} == {"SavesQueries"}
    assert template["Resources"]["OperationsDashboard"]["Condition"] == "HasDashboard"


@pytest.mark.parametrize("heading", re.findall(r"^## (\w+)$", RUNBOOK, re.M))
def test_a_section_names_queries_and_widgets_that_exist(template: Template, heading: str) -> None:
    section = RUNBOOK.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    names = {
        each["Name"]["Fn::Sub"].partition("/")[2]
        for each in resources(template, "AWS::Logs::QueryDefinition").values()
    } | {widget["properties"].get("title", "") for widget in widgets(template)}
    for cited in re.findall(r"(?<!\*)\*([A-Z][^*]+?)\*(?!\*)", section):
        if not re.match("(Unt|T)ried|Tests", cited):
            assert any(name.startswith(cited) for name in names), cited


def test_the_picture_of_the_dashboard_is_that_of_the_template() -> None:
    """`make dashboard` draws it again."""
    assert dashboard.PICTURE.read_text() == dashboard.picture((ROOT / "template.yaml").read_text())
