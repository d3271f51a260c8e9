"""How a page looks: it fits its window at each width and in both themes, and axe finds nothing."""

from collections.abc import Iterable

from playwright.sync_api import Page

from tests.console import axe
from tests.console.browser import SIZES, THEMES, overflow

READY = """() => document.querySelector('h1') &&
  !document.querySelector('.skeleton, .spinner, [aria-busy=true]')"""
"""The page shows what it has loaded."""

DRAWN = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().map((each) => each.finished));
}"""
"""Resolves after what observes the window's size has drawn, and no colour changes any more."""

WIDER = """() => [...document.querySelectorAll('dialog[open], dialog[open] .dialog-body')]
  .filter((each) => each.scrollWidth > each.clientWidth).length"""
"""How many dialogs would have to be scrolled sideways."""


def ready(page: Page) -> None:
    """Wait until the page shows what it has loaded."""
    page.wait_for_function(READY)


def resize(page: Page, width: int) -> None:
    """Make the window as wide as one of `SIZES`, and wait until plots have followed."""
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    page.evaluate(DRAWN)


def check(page: Page, widths: Iterable[int] = tuple(SIZES), *, is_loading: bool = False) -> None:
    """Check what the window shows, at widths from the narrowest on and in both themes.

    The page is not loaded again: people resize windows too, and a load costs seconds.
    """
    if not is_loading:
        ready(page)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width in sorted(widths):
            resize(page, width)
            assert overflow(page) == 0, (theme, width)
            assert page.evaluate(WIDER) == 0, (theme, width)
            found = axe.violations(page)
            assert found == [], (theme, width, found)
