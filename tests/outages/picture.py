"""Draws docs/outage.svg: what an endpoint gets in each second, before, in and after an outage."""

from collections.abc import Iterable, Sequence

from tests.outages import ROOT
from tests.outages.outage import BEFORE, Result
from tools.drawing import style, svg

PICTURE = ROOT / "docs/outage.svg"

RATE, OUTAGE = 20.0, 240.0
"""The case that is shown: events a second, and seconds of an outage in which attempts time out."""

AFTER = 120.0
"""Seconds that are shown after the outage."""

SECOND = 1.7
PANEL, GAP, TOP, LEFT, RIGHT, BOTTOM = 150, 54, 52, 48, 14, 46
"""Sizes in SVG units, which browsers show as pixels: a second, a panel's height, and margins."""

STEP = 250
"""Attempts a second between two lines of the scale."""

STYLE = style(
    light=""".down { fill: #818b98; fill-opacity: 0.16 }
  .failed { fill: #bc4c00 } .good { fill: #0969da }""",
    dark=".failed { fill: #f0883e } .good { fill: #4493f8 }",
)


def shows(rate: float, outage: float, hangs: bool) -> bool:
    """Whether the picture shows such a case."""
    return (rate, outage, hangs) == (RATE, OUTAGE, True)


def write(results: Sequence[Result]) -> None:
    """Draw the picture anew."""
    PICTURE.write_text(draw(results))


def draw(results: Iterable[Result]) -> str:
    """The picture, with a panel for each result."""
    results = list(results)
    seconds = int(BEFORE + OUTAGE + AFTER)
    most = max(sum(counts) for result in results for counts in result.by_second.values())
    highest = -(-most // STEP) * STEP
    width = LEFT + seconds * SECOND + RIGHT
    height = TOP + len(results) * (PANEL + GAP) - GAP + BOTTOM
    about = (
        f"Attempts in each second of an outage of {OUTAGE / 60:.0f} minutes at {RATE:.0f} events a "
        "second, without and with the outage mode"
    )
    parts: list[str] = []
    for number, result in enumerate(results):
        parts += _panel(result, TOP + number * (PANEL + GAP), highest, seconds)
    bottom = TOP + len(results) * (PANEL + GAP) - GAP
    parts += [
        f'<text x="{_x(second):.1f}" y="{bottom + 16}" text-anchor="middle">'
        f"{(second - BEFORE) / 60:.0f}</text>"
        for second in range(0, seconds + 1, 60)
    ]
    parts += [
        f'<text x="{LEFT}" y="{bottom + 36}">minutes since the endpoint stopped answering</text>',
        *_legend(width, bottom + 36),
    ]
    return svg(width, height, about, STYLE, parts)


def _panel(result: Result, top: float, highest: int, seconds: int) -> list[str]:
    floor = top + PANEL
    name = "Outage mode" if result.case.holds else "Every event on a clock of its own"
    title = (
        f"{name}: {result.failed:,} attempts fail, all is delivered {result.recovered[2]:.0f} s "
        "after the end"
    )
    down = f'x="{_x(BEFORE):.1f}" y="{top}" width="{OUTAGE * SECOND:.1f}" height="{PANEL}"'
    parts = [
        f'<text class="title" x="{LEFT}" y="{top - 12}">{title}</text>',
        f'<rect class="down" {down}/>',
    ]
    for value in range(0, highest + 1, STEP):
        y = floor - value / highest * PANEL
        parts += [
            f'<path class="grid" d="M{LEFT} {y:.1f}H{_x(seconds):.1f}"/>',
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>',
        ]
    for kind, column in (("failed", 0), ("good", 1)):
        bars = "".join(
            f"M{_x(second):.1f} {floor}v{-counts[column] / highest * PANEL:.1f}h{SECOND}V{floor}z"
            for second, counts in result.by_second.items()
            if counts[column] and second < seconds
        )
        parts.append(f'<path class="{kind}" d="{bars}"/>')
    return parts


def _legend(width: float, y: float) -> list[str]:
    parts = []
    for kind, text, x in (("failed", "failed", width - 210), ("good", "succeeded", width - 130)):
        parts += [
            f'<rect class="{kind}" x="{x:.0f}" y="{y - 9}" width="10" height="10"/>',
            f'<text x="{x + 15:.0f}" y="{y}">{text}</text>',
        ]
    return [*parts, f'<text x="{LEFT - 40}" y="12">attempts a second</text>']


def _x(second: float) -> float:
    return LEFT + second * SECOND
