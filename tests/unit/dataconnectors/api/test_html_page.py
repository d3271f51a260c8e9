"""The frame of the API's pages."""

import base64
import hashlib
import re

from dataconnectors.api import html_page


def test_the_policy_allows_exactly_the_style_of_the_page() -> None:
    html, policy = html_page.build("A title", "docs", "<p>text</p>", style="p{margin:0}")
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert style.endswith("p{margin:0}")


def test_a_title_is_text_and_the_page_itself_is_marked_in_the_bar() -> None:
    html, _ = html_page.build("<b>&", "errors", "")
    assert "<h1>&lt;b&gt;&amp;</h1>" in html
    assert re.findall('<a href="(\\w+)" aria-current=page>', html) == ["errors"]
