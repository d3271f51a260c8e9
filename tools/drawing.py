"""How our pictures of figures look: an SVG that is readable in light and dark."""

from collections.abc import Iterable


def style(light: str, dark: str) -> str:
    """A style sheet with the classes that all have, `title` and `grid`, and a picture's own."""
    return f"""
  text {{ font: 12px system-ui, sans-serif; fill: #59636e }}
  .title {{ font-size: 14px; fill: #1f2328 }}
  .grid {{ stroke: #d1d9e0 }}
  {light}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #9198a1 }} .title {{ fill: #f0f6fc }} .grid {{ stroke: #3d444d }}
    {dark}
  }}
"""


def svg(width: float, height: float, about: str, sheet: str, parts: Iterable[str]) -> str:
    """The file. Sizes are in SVG units, which browsers show as pixels."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        f'<title id="title">{about}</title>',
        f"<style>{sheet}</style>",
        *parts,
        "</svg>\n",
    ]
    return "\n".join(lines)
