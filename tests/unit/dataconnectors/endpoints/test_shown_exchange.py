"""What the attempt log shows of a request and an answer: text, bounded, and no secret."""

import pytest

from dataconnectors.connectors.secrets import MASK, Secrets
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.exchange import Exchange, ShownExchange
from dataconnectors.endpoints.shown_exchange import (
    SHOWN_BODY_BYTES,
    SHOWN_HEADERS,
    SHOWN_HEADERS_LENGTH,
    shown,
)
from dataconnectors.endpoints.trace import Trace

URL = "https://example.com/hook"


def an_exchange(
    body: bytes = b"",
    *,
    is_whole: bool = True,
    headers: tuple[tuple[str, str], ...] = (),
    own: tuple[tuple[str, str], ...] = (),
    sent: dict[str, str] | None = None,
) -> Exchange:
    exchange = Exchange()
    exchange.destination = Destination("example.com", 443, "/hook")
    exchange.secrets = Secrets("", own)
    exchange.headers = {"Content-Type": "application/json", "User-Agent": "DataConnectors/1"}
    exchange.headers |= dict(own) | (sent or {})
    exchange.trace = trace = Trace()
    trace.status, trace.headers, trace.is_whole = 500, headers, is_whole
    trace.body += body
    return exchange


def shown_of(exchange: Exchange, url: str = URL) -> ShownExchange:
    return shown(exchange, url, b"{}")


def test_values_of_the_urls_query_are_masked() -> None:
    assert shown_of(an_exchange(), URL + "?code=abc").url == f"{URL}?code={MASK}"


def test_only_headers_that_are_no_secret_are_shown() -> None:
    sent = {"X-Dt-Signature": "token", "Webhook-Id": "e1", "X-Dt-Test": "true"}
    headers = shown_of(an_exchange(own=(("X-Key", "k"),), sent=sent)).request_headers
    assert dict(headers) == {
        "Host": "example.com",
        "Content-Length": "2",
        "Content-Type": "application/json",
        "User-Agent": "DataConnectors/1",
        "X-Key": MASK,
        "X-Dt-Signature": MASK,
        "Webhook-Id": "e1",
        "X-Dt-Test": "true",
    }
    custom = shown_of(an_exchange(own=(("user-agent", "me/1"),), sent={"User-Agent": "me/1"}))
    assert dict(custom.request_headers)["User-Agent"] == MASK


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"caf\xc3\xa9 \xff\x00<b>", "caf\u00e9 \ufffd\x00<b>"),
        ("\u202etxt.exe".encode(), "\u202etxt.exe"),
        (b"\x1f\x8b\x08", "\x1f\ufffd\x08"),
    ],
)
def test_an_answer_is_text_whatever_it_is(body: bytes, text: str) -> None:
    found = shown_of(an_exchange(body))
    assert (found.answer_body, found.is_answer_cut) == (text, False)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\U0001f600"])
def test_a_long_body_is_cut_between_two_characters(character: str) -> None:
    found = shown_of(an_exchange(("a" + character * 4000).encode()[:4096], is_whole=False))
    assert SHOWN_BODY_BYTES - 4 < len(found.answer_body.encode()) <= SHOWN_BODY_BYTES
    assert set(found.answer_body) == {"a", character}
    assert found.is_answer_cut


def test_a_secret_that_an_answer_repeats_is_masked_even_where_the_body_ends() -> None:
    secret = "a-secret-value"
    own = (("X-Key", secret),)
    whole = shown_of(an_exchange(f"[{secret}]".encode(), own=own))
    assert whole.answer_body == f"[{MASK}]"
    cut = shown_of(an_exchange(b"123 " + secret[:-1].encode(), is_whole=False, own=own))
    assert secret[:5] not in cut.answer_body
    in_url = shown_of(an_exchange(b"no code=in-the-url"), URL + "?code=in-the-url")
    assert in_url.answer_body == f"no code={MASK}"
    echoed = shown_of(an_exchange(headers=(("X-Echo", f"k={secret}"),), own=own))
    assert echoed.answer_headers == (("X-Echo", f"k={MASK}"),)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ((("A", "1"), ("A", "2"), ("Set-Cookie", "s=1")), 3),
        ((("A", "1"),) * 100, SHOWN_HEADERS),
        ((("A", "x" * 60_000), ("B", "1")), 0),
        ((("A", "x" * 600), ("B", "1")), 1),
        ((("N" * 200, "1"), ("B", "1")), 1),
        ((("A", "x" * 400),) * 20, 10),
    ],
)
def test_headers_of_an_answer_are_bounded(headers: tuple[tuple[str, str], ...], kept: int) -> None:
    found = shown_of(an_exchange(headers=headers))
    assert len(found.answer_headers) == kept
    assert found.is_answer_cut == (kept < len(headers))
    assert sum(len(name) + len(value) for name, value in found.answer_headers) <= (
        SHOWN_HEADERS_LENGTH
    )
    assert "s=1" not in repr(found)


def test_without_an_answer_the_request_is_shown_alone() -> None:
    exchange = an_exchange()
    exchange.trace = None
    found = shown_of(exchange)
    assert (found.status, found.answer_headers, found.answer_body) == (None, (), "")
    assert found.request_body == "{}"
