"""The API's own pages, `/v2/docs` and `/v2/errors`, in a browser."""

import pytest

from tests.console.conftest import Open
from tests.console.looks import check


@pytest.mark.parametrize("path", ["/v2/docs", "/v2/errors"])
def test_a_page_fits_its_window_and_axe_finds_nothing(open_window: Open, path: str) -> None:
    window = open_window(width=360)
    page = window.page
    page.goto(path)
    check(page, [360])
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => each.open = true)")
    check(page)


def test_samples_call_the_address_that_the_page_was_served_from(open_window: Open) -> None:
    page = open_window().page
    page.goto("/v2/docs")
    origin: str = page.evaluate("() => location.origin")
    assert f"API={origin}/v2" in page.get_by_text("API=").first.inner_text()
