"""Draws docs/arrival.svg: how many events are at their endpoint how soon, at several sizes."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.outages import ROOT
from tests.outages.outage import share
from tests.scale.scenarios import Result
from tools.drawing import style, svg

PICTURE = ROOT / "docs/arrival.svg"

PARTS = [*(number / 50 for number in range(1, 49)), 0.97, 0.98, 0.985, 0.99, 0.995, 0.999]
"""Parts of a scenario's events, for each of which a line has a point."""

LEAST, MOST = 0.05, 500.0
"""Seconds from publishing to the POST, ends of the logarithmic scale."""

MARKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300)

LEFT, TOP, WIDTH, HEIGHT, RIGHT, BOTTOM = 48, 58, 430, 280, 290, 46
LABEL = 34
"""Sizes in SVG units; the last is the distance of two labels, which have two lines."""


class Curve(NamedTuple):
    """A line: its class in the style sheet, and its label of two lines."""

    kind: str
    first: str
    second: str


CURVES: Mapping[tuple[str, int], Curve] = {
    ("10,000 events/s on 10 connectors", 1000): Curve(
        "full", "10,000 events/s on 10 connectors", "account of 1,000"
    ),
    ("1,000 connectors, 1 event/s each", 1000): Curve(
        "default", "1,000 connectors, 1 event/s each", "account of 1,000"
    ),
    ("1,000 connectors, 1 event/s each; a region of 200 hangs", 10_000): Curve(
        "enough", "the same in the 5 min after 200 hang", "account of 10,000"
    ),
    ("10,000 events/s on 1,000 connectors", 1000): Curve(
        "short", "10,000 events/s on 1,000 connectors", "account of 1,000: too small"
    ),
    ("1,000 connectors, 1 event/s each; a region of 200 hangs", 1000): Curve(
        "over", "the 5 min after 200 of 1,000 hang", "account of 1,000: too small"
    ),
}
"""What is shown: the first phase of a scenario, by its name and concurrency. From the fastest."""

STYLE = style(
    light="""path.line { fill: none; stroke-width: 2px } .short, .over { stroke-dasharray: 5 4 }
  .full { stroke: #1a7f37 } .default { stroke: #0969da } .enough { stroke: #8250df }
  .short { stroke: #9a6700 } .over { stroke: #bc4c00 }""",
    dark=""".full { stroke: #3fb950 } .default { stroke: #4493f8 } .enough { stroke: #ab7df8 }
    .short { stroke: #d29922 } .over { stroke: #f0883e }""",
)


def curve(result: Result) -> tuple[Curve, list[float]] | None:
    """The line of a result, with the seconds of each of the `PARTS`; None if it is not shown."""
    scenario = result.scenario
    found = CURVES.get((scenario.name, scenario.concurrency))
    if found is None:
        return None
    return found, [share(result.found[0].latencies, part) for part in PARTS]


def draw(curves: Sequence[tuple[Curve, Sequence[float]]]) -> str:
    """The picture."""
    floor = TOP + HEIGHT
    about = "Events whose POST has begun, by the time since they were published"
    parts = [
        f'<text class="title" x="{LEFT}" y="20">{about}</text>',
        f'<text x="{LEFT}" y="38">of healthy connectors, in virtual time (make scale)</text>',
    ]
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        parts += [
            f'<path class="grid" d="M{LEFT} {y:.1f}h{WIDTH}"/>',
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>',
        ]
    parts += [
        f'<text x="{_x(mark):.1f}" y="{floor + 16}" text-anchor="middle">{mark:g}</text>'
        for mark in MARKS
    ]
    parts.append(f'<text x="{LEFT}" y="{floor + 36}">seconds since the publish call</text>')
    order = list(CURVES.values())
    for shown, seconds in sorted(curves, key=lambda each: order.index(each[0])):
        places = "L".join(
            f"{_x(at):.1f} {_y(part):.1f}" for at, part in zip(seconds, PARTS, strict=True)
        )
        parts.append(f'<path class="line {shown.kind}" d="M{places}"/>')
        x, y = LEFT + WIDTH + 14, TOP + 8 + order.index(shown) * LABEL
        parts += [
            f'<path class="line {shown.kind}" d="M{x} {y}h22"/>',
            f'<text x="{x + 30}" y="{y + 4}">{shown.first}</text>',
            f'<text x="{x + 30}" y="{y + 19}">{shown.second}</text>',
        ]
    return svg(LEFT + WIDTH + RIGHT, floor + BOTTOM, about, STYLE, parts)


def _x(seconds: float) -> float:
    value = min(max(seconds, LEAST), MOST)
    return LEFT + math.log(value / LEAST) / math.log(MOST / LEAST) * WIDTH


def _y(part: float) -> float:
    return TOP + (1 - part) * HEIGHT
