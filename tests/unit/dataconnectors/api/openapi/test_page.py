"""The OpenAPI document as an HTML page."""

import re
from html.parser import HTMLParser

from dataconnectors.api import reference
from dataconnectors.api.openapi.operations import OPERATIONS


class Links(HTMLParser):
    """Collects the links, ids and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")


def test_the_page_loads_nothing_and_its_links_have_targets() -> None:
    text, policy = reference.page("https://api.example.com")
    page = Links()
    page.feed(text)
    assert len(set(page.ids)) == len(page.ids)
    outside = page.links - {f"#{name}" for name in page.ids}
    assert outside == {"/console/", "docs", "errors", "openapi.json"}
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"url\(|@import", text)
    for operation in OPERATIONS:
        assert f'id="{operation.id}"' in text


def test_the_samples_call_the_address_that_the_page_was_served_from() -> None:
    text, _ = reference.page("https://api.example.com:8443")
    assert "API=https://api.example.com:8443/v2\n" in text
    assert "<script>" not in reference.page("https://<script>")[0]
