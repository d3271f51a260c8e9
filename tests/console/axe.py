"""Checks a page with axe-core's rules of accessibility."""

from pathlib import Path

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"

RUN = """
async () => {
  const found = await axe.run(document, { resultTypes: ['violations'] });
  return found.violations.flatMap(
    (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} (${node.failureSummary})`));
}
"""


def violations(page: Page) -> list[str]:
    """What axe finds: a line for each rule and element, with what to do about it."""
    # Not as an element of the page, whose security policy forbids scripts of others.
    page.evaluate(SOURCE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found
