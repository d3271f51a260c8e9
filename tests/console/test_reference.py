"""The API's own pages, `/v2/docs` and `/v2/errors`, in a browser."""

import pytest

from tests.console import axe
from tests.console.browser import SIZES, THEMES, Theme, overflow
from tests.console.conftest import Open


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", ["/v2/docs", "/v2/errors"])
def test_a_page_fits_its_window_and_axe_finds_nothing(
    open_window: Open, path: str, theme: Theme, width: int
) -> None:
    page = open_window(theme, width).page
    page.goto(path)
    assert overflow(page) == 0
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert overflow(page) == 0
    assert axe.violations(page) == []
