"""Draws docs/packages.svg: the packages of the layer, and which imports which.

    python -m tools.packages        or `make packages`

The arrows come from the import statements. Packages stand in rows: each imports only packages in
rows below its own. An arrow is left out where others already lead from one package to the other.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "layers/core/dataconnectors"
PICTURE = ROOT / "docs/packages.svg"

Graph = Mapping[str, frozenset[str]]
"""By package, the packages that it imports."""

# Sizes in SVG units, which browsers show as pixels.
BOX_WIDTH, BOX_HEIGHT = 216, 72
COLUMN, ROW = 256, 116
MARGIN = 16
LINE_CHARACTERS = 32
"""Characters of a description that fit one line of a box."""

LINES = 3
"""Lines of a description that fit a box."""

STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .about { font-size: 11px; fill: #59636e }
  rect { fill: #f6f8fa; stroke: #8c959f; rx: 8px }
  path { fill: none; stroke: #8c959f; stroke-width: 1.5px; marker-end: url(#arrow) }
  marker path { fill: #8c959f; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .about { fill: #9198a1 }
    rect { fill: #151b23; stroke: #656c76 } path { stroke: #656c76 } marker path { fill: #656c76 }
  }
"""

TITLE = '<title id="title">The packages of the layer. Each imports only what is below it.</title>'

ARROWHEAD = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Import:
    """A line of a package's module that imports another package."""

    package: str
    imported: str
    path: Path
    line: int


def packages() -> list[str]:
    """The packages of the layer, in alphabetical order."""
    return sorted(path.parent.name for path in CORE.glob("*/__init__.py"))


def imports() -> Iterator[Import]:
    """Every import of one package by another, wherever in a module it stands."""
    known = set(packages())
    for package in sorted(known):
        for path in sorted((CORE / package).rglob("*.py")):
            for line, module in _imported_modules(path):
                root, _, rest = module.partition(".")
                imported = rest.partition(".")[0]
                if root == "dataconnectors" and imported in known - {package}:
                    yield Import(package, imported, path.relative_to(ROOT), line)


def _imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def graph() -> Graph:
    """Which package imports which."""
    found: dict[str, set[str]] = {package: set() for package in packages()}
    for each in imports():
        found[each.package].add(each.imported)
    return {package: frozenset(imported) for package, imported in found.items()}


def rows(graph: Graph) -> list[list[str]]:
    """The packages from the top row to the bottom one; ValueError when imports go in a circle."""
    heights: dict[str, int] = {}

    def height(package: str, above: tuple[str, ...] = ()) -> int:
        if package in above:
            raise ValueError(f"imports go in a circle: {' -> '.join((*above, package))}")
        if package not in heights:
            below = [height(each, (*above, package)) for each in sorted(graph[package])]
            heights[package] = max(below, default=-1) + 1
        return heights[package]

    top = max(height(package) for package in graph)
    for package in sorted(graph, key=heights.__getitem__, reverse=True):
        # One that is needed only further up stands there, rather than far from who needs it.
        importers = [heights[each] for each in graph if package in graph[each]]
        heights[package] = min(importers, default=heights[package] + 1) - 1
    return [
        sorted(
            (package for package in graph if heights[package] == level),
            # Long arrows go down at the right edge, where no boxes are.
            key=lambda package: (
                level - max((heights[each] for each in graph[package]), default=0),
                package,
            ),
        )
        for level in range(top, -1, -1)
    ]


def direct(graph: Graph) -> list[tuple[str, str]]:
    """The imports that no chain of other imports stands for."""

    def reaches(start: str, end: str) -> bool:
        return end in graph[start] or any(reaches(each, end) for each in graph[start])

    return [
        (package, imported)
        for package in sorted(graph)
        for imported in sorted(graph[package])
        if not any(reaches(each, imported) for each in graph[package])
    ]


def about(package: str) -> str:
    """What a package is, from the first line of its docstring: what is before the colon, or behind
    it when that is only the package's name."""
    docstring = ast.get_docstring(ast.parse((CORE / package / "__init__.py").read_text())) or ""
    title, _, rest = docstring.partition("\n")[0].partition(":")
    text = (rest if title.lower() == package else title).strip().rstrip(".")
    return text[:1].upper() + text[1:]


def draw(graph: Graph) -> str:
    """The picture as SVG."""
    places: dict[str, tuple[float, float]] = {}
    levels = rows(graph)
    widest = max(map(len, levels))
    for level, row in enumerate(levels):
        for position, package in enumerate(row):
            x = MARGIN + (position + (widest - len(row)) / 2) * COLUMN
            places[package] = (x, MARGIN + level * ROW)
    width = 2 * MARGIN + (widest - 1) * COLUMN + BOX_WIDTH
    height = 2 * MARGIN + (len(levels) - 1) * ROW + BOX_HEIGHT
    arrows = [_arrow(places[start], places[end]) for start, end in direct(graph)]
    boxes = [_box(package, place) for package, place in places.items()]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="title">'
    )
    return "\n".join(
        [head, TITLE, f"<style>{STYLE}</style>", ARROWHEAD, *arrows, *boxes, "</svg>\n"]
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A curve from the bottom of one box to the top of another."""
    x1, y1 = start[0] + BOX_WIDTH / 2, start[1] + BOX_HEIGHT
    x2, y2 = end[0] + BOX_WIDTH / 2, end[1] - 2
    # Towards where it comes from, so that arrows to one box arrive side by side.
    x2 += max(-BOX_WIDTH / 3, min(BOX_WIDTH / 3, (x1 - x2) / 4))
    turn = y2 - (ROW - BOX_HEIGHT)  # straight down to the last row
    bend = (y2 - turn) / 2
    return (
        f'<path d="M{x1:g} {y1:g}V{turn:g}'
        f'C{x1:g} {turn + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"/>'
    )


def _box(package: str, place: tuple[float, float]) -> str:
    x, y = place
    lines = [""]
    for word in about(package).split():
        if len(f"{lines[-1]} {word}") > LINE_CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    shown = "".join(
        f'<text class="about" x="{x + 12:g}" y="{y + 36 + 13 * number:g}">{escape(line)}</text>'
        for number, line in enumerate(lines[:LINES])
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}"/>'
        f'<text x="{x + 12:g}" y="{y + 20:g}" font-weight="600">{package}</text>{shown}'
    )


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(draw(graph()))
    print(f"{PICTURE.relative_to(ROOT)} is drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
