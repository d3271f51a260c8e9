"""Opens pages in Chromium as people do: in a theme, at a width, and watched for what goes wrong."""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

from tests.console import chromium

ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)

Theme = Literal["light", "dark"]

THEMES: tuple[Theme, ...] = ("light", "dark")

SIZES = {360: 740, 1280: 800, 2560: 1440}
"""Widths and heights of windows in CSS pixels: a small telephone, a laptop, a large screen."""

WAIT_MS = 30_000
"""For what a page shows after a call of the API: the emulator takes seconds on busy cores."""

HTTP_STATUS = "Failed to load resource: the server responded with a status"
"""Chromium reports each answer over 399 so, which is no fault of a page that shows the error."""


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """A running browser. Raises `FileNotFoundError` when there is none on this machine."""
    path = chromium.find()
    if path is None:
        raise FileNotFoundError(chromium.MISSING)
    with sync_playwright() as playwright:
        browser = _launch(playwright, path)
        yield browser
        browser.close()


def _launch(playwright: Playwright, path: str) -> Browser:
    # Chromium has no sandbox for root. The pages that it opens are ours.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *sandbox])


class Window:
    """A browser's window with its own storage. `problems` are what it noticed that should not be.

    These are errors of scripts, violations of the security policy, requests to other hosts, and
    addresses with one of `secrets` in them.
    """

    def __init__(
        self, browser: Browser, base: str, theme: Theme = "light", width: int = 1280
    ) -> None:
        """`base` is the address of the stack, such as http://127.0.0.1:8000."""
        self.problems: list[str] = []
        self.secrets: set[str] = set()
        self._host = urlsplit(base).netloc
        self._context = browser.new_context(
            base_url=base,
            color_scheme=theme,
            viewport={"width": width, "height": SIZES[width]},
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Oslo",
        )
        self._context.set_default_timeout(WAIT_MS)
        self._context.on("page", self._watch)
        self.page = self._context.new_page()

    def forgive(self, text: str) -> None:
        """Drop the problems with `text` in them, which the test itself has caused."""
        self.problems = [problem for problem in self.problems if text not in problem]

    def resume(self, session: str) -> None:
        """Go on with a session of the console, as `session` of another window has it."""
        self.secrets.add(json.loads(session)["token"])
        self._context.add_init_script(
            f"if (!sessionStorage.session) sessionStorage.setItem('session', {json.dumps(session)})"
        )

    def session(self) -> str:
        """The session of the console in this window, for `resume` of others."""
        text: str = self.page.evaluate("() => sessionStorage.getItem('session')")
        return text

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", self._note_message)
        page.on("request", self._note_request)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HTTP_STATUS):
            self.problems.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self._host:
            self.problems.append(f"request to {address.netloc}")
        if any(secret in unquote(request.url) for secret in self.secrets):
            self.problems.append(f"a secret in an address below {address.path}")

    def close(self) -> None:
        """Close its page and forget its storage."""
        # A handler of a request that is under way would fail in the next test.
        for page in self._context.pages:
            page.unroute_all(behavior="ignoreErrors")
        self._context.close()


def overflow(page: Page) -> int:
    """CSS pixels by which the page is wider than its window; 0 when it does not scroll sideways."""
    wider: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider
