"""Draws docs/cost.svg: dollars per million delivered events against the rate."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from bench.cost import rivals
from bench.cost.model import DELIVER, Load, bill
from tools.drawing import style, svg

PICTURE = Path(__file__).parents[2] / "docs/cost.svg"

LEAST_RATE, MOST_RATE = 0.01, 10_000
LEAST, MOST = 0.1, 1000
"""Ends of both scales, which are logarithmic: events a second, and dollars per million."""

LEFT, TOP, WIDTH, HEIGHT, RIGHT, BOTTOM = 62, 58, 470, 300, 190, 46
POINTS = 60
LABEL = 15
"""Sizes in SVG units, the points of a line, and the least distance of two labels."""

CURVES: Sequence[tuple[str, str, Callable[[Load], float]]] = (
    ("one", "all, 1 event a call", lambda load: bill(load).per_million()),
    (
        "many",
        "all, 100 a call, no history",
        lambda load: bill(load._replace(publish=100, history=False)).per_million(),
    ),
    ("deliver", "delivery alone", lambda load: bill(load).per_million(DELIVER)),
    ("sns", "SNS", lambda load: rivals.bill(rivals.SNS, load).per_million()),
    ("bus", "EventBridge", lambda load: rivals.bill(rivals.BUS, load).per_million()),
)

STYLE = style(
    light="""path.line { fill: none; stroke-width: 2px } .sns, .bus { stroke-dasharray: 5 4 }
  .one { stroke: #0969da } .many { stroke: #1a7f37 } .deliver { stroke: #bc4c00 }
  .sns { stroke: #8250df } .bus { stroke: #59636e }""",
    dark=""".one { stroke: #4493f8 } .many { stroke: #3fb950 } .deliver { stroke: #f0883e }
    .sns { stroke: #ab7df8 } .bus { stroke: #9198a1 }""",
)


def draw() -> str:
    """The picture."""
    floor = TOP + HEIGHT
    about = "Dollars per million delivered events, by events a second"
    parts = [
        f'<text class="title" x="{LEFT}" y="20">{about}</text>',
        f'<text x="{LEFT}" y="38">one connector, answers in 100 ms, 600 bytes, list prices</text>',
    ]
    for value in _decades(LEAST, MOST):
        y = _y(value)
        parts += [
            f'<path class="grid" d="M{LEFT} {y:.1f}h{WIDTH}"/>',
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">${value:,g}</text>',
        ]
    parts += [
        f'<text x="{_x(rate):.1f}" y="{floor + 16}" text-anchor="middle">{rate:,g}</text>'
        for rate in _decades(LEAST_RATE, MOST_RATE)
    ]
    parts.append(f'<text x="{LEFT}" y="{floor + 36}">events a second</text>')
    return svg(LEFT + WIDTH + RIGHT, floor + BOTTOM, about, STYLE, [*parts, *_curves()])


def _curves() -> list[str]:
    ratio = (MOST_RATE / LEAST_RATE) ** (1 / POINTS)
    rates = [LEAST_RATE * ratio**number for number in range(POINTS + 1)]
    parts, ends = [], []
    for kind, text, dollars in CURVES:
        points = [(_x(rate), _y(dollars(Load(rate=rate)))) for rate in rates]
        places = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(f'<path class="line {kind}" d="M{places}"/>')
        ends.append((points[-1][1], text))
    ends.sort()
    heights = [y for y, _ in ends]
    for before, after in pairwise(range(len(heights))):
        heights[after] = max(heights[after], heights[before] + LABEL)
    for y, (_, text) in zip(heights, ends, strict=True):
        parts.append(f'<text x="{LEFT + WIDTH + 8}" y="{y + 4:.1f}">{text}</text>')
    return parts


def _decades(least: float, most: float) -> list[float]:
    first, last = round(math.log10(least)), round(math.log10(most))
    return [10.0**exponent for exponent in range(first, last + 1)]


def _x(rate: float) -> float:
    return LEFT + math.log(rate / LEAST_RATE) / math.log(MOST_RATE / LEAST_RATE) * WIDTH


def _y(dollars: float) -> float:
    value = min(max(dollars, LEAST), MOST)
    return TOP + HEIGHT - math.log(value / LEAST) / math.log(MOST / LEAST) * HEIGHT
