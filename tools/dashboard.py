"""Draws docs/dashboard.svg: the template's dashboard in CloudWatch, with made-up numbers.

    python -m tools.dashboard       or `make dashboard`

It shows where each widget is and what is in it; no number in it was measured. Titles, legends and
places come from template.yaml, so a widget that is wrong there is wrong in the picture too.
"""

import json
import math
import random
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/dashboard.svg"
STACK = "dataconnectors"

# CloudWatch's grid has 24 columns. Sizes are in SVG units, which browsers show as pixels.
CELL_WIDTH, CELL_HEIGHT = 52, 36
GAP = 8
LEGEND_LINE = 14
CHARACTER = 6.4
POINTS = 60
"""Points of a line: an hour."""

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f")

STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 13px; font-weight: 600 }
  .quiet { fill: #59636e }
  rect.widget { fill: #fff; stroke: #d1d9e0; rx: 4px }
  rect.page { fill: #f6f8fa }
  .axis { stroke: #d1d9e0 }
  polyline { fill: none; stroke-width: 1.5px }
"""


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their bare value."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: node.value)


def resources_and_parameters(template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sections of the text of a template."""
    document = yaml.load(template, _Loader)  # a SafeLoader
    return document["Resources"], document["Parameters"]


def widgets(template: str) -> list[dict[str, Any]]:
    """The widgets of the dashboard in the text of a template."""
    resources, _ = resources_and_parameters(template)
    body = resources["OperationsDashboard"]["Properties"]["DashboardBody"]
    found: list[dict[str, Any]] = json.loads(body.replace("${AWS::StackName}", STACK))["widgets"]
    return found


def lines(widget: Mapping[str, Any]) -> Iterator[str]:
    """The labels of what a widget of metrics draws."""
    for metric in widget["properties"]["metrics"]:
        options = metric[-1]
        if options.get("visible", True):
            yield options["label"] or "a line for each queue"


def picture(template: str) -> str:
    """The dashboard as SVG."""
    found = widgets(template)
    width = 24 * CELL_WIDTH + GAP
    height = max(each["y"] + each["height"] for each in found) * CELL_HEIGHT + GAP
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" role="img" aria-labelledby="title">'
            ),
            '<title id="title">The dashboard, with made-up numbers</title>',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{width}" height="{height}"/>',
            *(part for widget in found for part in _widget(widget)),
            "</svg>\n",
        ]
    )


def _widget(widget: Mapping[str, Any]) -> Iterator[str]:
    x, y = widget["x"] * CELL_WIDTH + GAP, widget["y"] * CELL_HEIGHT + GAP
    width = widget["width"] * CELL_WIDTH - GAP
    height = widget["height"] * CELL_HEIGHT - GAP
    yield f'<rect class="widget" x="{x}" y="{y}" width="{width}" height="{height}"/>'
    properties = widget["properties"]
    if widget["type"] == "text":
        for number, line in enumerate(properties["markdown"].split("\n")):
            kind = "title" if number == 0 else "quiet"
            yield _text(x + 10, y + 22 + 20 * number, line.lstrip("# "), width, kind)
        return
    yield _text(x + 10, y + 18, properties["title"], width, "title")
    if widget["type"] == "log":
        for number, line in enumerate(properties["query"].split(" | ")):
            yield _text(x + 10, y + 40 + 18 * number, line, width, "quiet")
        return
    yield from _graph(widget, x + 10, y + 28, width - 20, height - 36)


def _graph(widget: Mapping[str, Any], x: float, y: float, width: float, height: float) -> list[str]:
    labels = list(lines(widget))
    rows: list[list[str]] = [[]]
    for label in labels:
        if sum(len(each) + 4 for each in [*rows[-1], label]) * CHARACTER > width and rows[-1]:
            rows.append([])
        rows[-1].append(label)
    bottom = y + height - LEGEND_LINE * len(rows)
    parts = [f'<line class="axis" x1="{x}" y1="{bottom}" x2="{x + width}" y2="{bottom}"/>']
    for mark in widget["properties"].get("annotations", {}).get("horizontal", []):
        parts.append(
            f'<line x1="{x}" y1="{y + 6}" x2="{x + width}" y2="{y + 6}" stroke="#d62728" '
            'stroke-dasharray="4 3"/>'
        )
        parts.append(_text(x + 2, y + 18, mark["label"], width, "quiet"))
    number = 0
    for row, names in enumerate(rows):
        at = x
        for name in names:
            colour = COLOURS[number % len(COLOURS)]
            share = 0.75 * (number + 1) / (len(labels) + 1)
            points = _points(name, x, bottom, width, (bottom - y) * share)
            parts.append(f'<polyline stroke="{colour}" points="{points}"/>')
            top = bottom + LEGEND_LINE * (row + 1) - 2
            parts.append(f'<rect x="{at}" y="{top - 8}" width="8" height="8" fill="{colour}"/>')
            parts.append(_text(at + 12, top, name, width))
            at += (len(name) + 4) * CHARACTER
            number += 1
    return parts


def _points(name: str, x: float, bottom: float, width: float, level: float) -> str:
    """A line around `level`, always the same one for a name."""
    noise = random.Random(name)
    return " ".join(
        f"{x + width * point / (POINTS - 1):.1f},"
        f"{bottom - level * (1 + 0.2 * math.sin(point / 9) + noise.uniform(-0.08, 0.08)):.1f}"
        for point in range(POINTS)
    )


def _text(x: float, y: float, text: str, width: float, kind: str = "") -> str:
    """A line of text, cut off where its widget ends."""
    fits = int((width - 16) / CHARACTER)
    shown = text if len(text) <= fits else text[: fits - 1] + "…"
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(shown)}</text>'


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(picture((ROOT / "template.yaml").read_text()))
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
