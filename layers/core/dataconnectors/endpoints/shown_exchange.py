"""An attempt's request and answer as the attempt log shows them: bounded, as text, without secrets.

An answer is hostile data: it may be binary, endless or full of markup, and it may repeat what it
got. So all of it becomes text of a bounded length, and secrets in it are masked where they stand as
they were sent.
"""

from collections.abc import Iterable

from dataconnectors.connectors.secrets import MASK, masked_url
from dataconnectors.endpoints.addresses import HTTPS_PORT
from dataconnectors.endpoints.delivery_headers import TEST_HEADER
from dataconnectors.endpoints.exchange import Exchange, ShownExchange

SHOWN_BODY_BYTES = 2048
"""Of an answer's body."""

SHOWN_HEADERS = 50
SHOWN_NAME = 100
SHOWN_VALUE = 500
SHOWN_HEADERS_LENGTH = 4096
"""Of an answer: header lines, characters of a name and of a value, and of all of them together."""

SHORTEST_SECRET = 6
"""Characters. To mask shorter values wherever they occur would make an answer unreadable, and they
protect nothing."""

PLAIN_HEADERS = frozenset({"content-type", "webhook-id", "webhook-timestamp", TEST_HEADER.lower()})
"""Headers of a request whose values are shown, as is our own `User-Agent`."""

HIDDEN_ANSWER_HEADERS = frozenset({"set-cookie", "set-cookie2"})
"""Headers of an answer whose values open sessions."""


def shown(exchange: Exchange, url: str, body: bytes) -> ShownExchange:
    """The exchange of an attempt to POST `body` to the connector's `url`.

    The body is shown whole: SQS messages, and so bodies, have 64 KB at most.
    """
    trace = exchange.trace
    status: int | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body, is_cut = "", False
    if trace is not None and trace.status is not None:
        secrets = _secrets(exchange, url)
        status = trace.status
        answer_headers, is_cut = _answer_headers(trace.headers, secrets)
        answer_body, is_body_cut = _answer_body(bytes(trace.body), trace.is_whole, secrets)
        is_cut = is_cut or is_body_cut
    return ShownExchange(
        masked_url(url),
        _request_headers(exchange, len(body)),
        body.decode("utf-8", "replace"),
        status,
        answer_headers,
        answer_body,
        is_cut,
    )


def _request_headers(exchange: Exchange, length: int) -> tuple[tuple[str, str], ...]:
    destination = exchange.destination
    if destination is None:
        return ()
    host = f"[{destination.host}]" if ":" in destination.host else destination.host
    if destination.port != HTTPS_PORT:
        host = f"{host}:{destination.port}"
    hidden = _hidden(exchange)
    return (
        ("Host", host),
        ("Content-Length", str(length)),
        *((name, MASK if name in hidden else value) for name, value in exchange.headers.items()),
    )


def _hidden(exchange: Exchange) -> set[str]:
    """The names of the headers whose values are not shown: signatures, and a customer's own."""
    own = {name.lower() for name, _ in exchange.secrets.headers}
    plain = PLAIN_HEADERS if "user-agent" in own else PLAIN_HEADERS | {"user-agent"}
    return {name for name in exchange.headers if name.lower() not in plain}


def _secrets(exchange: Exchange, url: str) -> list[str]:
    """What must not be shown when an answer repeats it, the longest first."""
    found = {exchange.headers[name] for name in _hidden(exchange)}
    found |= {value for _, value in exchange.secrets.headers}
    found |= {exchange.secrets.signature_secret, exchange.secrets.previous_secret}
    for part in url.partition("?")[2].split("&"):
        name, equals, value = part.partition("=")
        found.add(value if equals else name)
    return sorted((each for each in found if len(each) >= SHORTEST_SECRET), key=len, reverse=True)


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _answer_headers(
    headers: Iterable[tuple[str, str]], secrets: list[str]
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The first headers, and whether something of them is missing."""
    kept: list[tuple[str, str]] = []
    left = SHOWN_HEADERS_LENGTH
    for name, value in headers:
        text = MASK if name.lower() in HIDDEN_ANSWER_HEADERS else _without(value, secrets)
        left -= len(name) + len(text)
        if len(kept) == SHOWN_HEADERS or left < 0:
            return tuple(kept), True
        if len(name) > SHOWN_NAME or len(text) > SHOWN_VALUE:
            kept.append((name[:SHOWN_NAME], text[:SHOWN_VALUE]))
            return tuple(kept), True
        kept.append((name, text))
    return tuple(kept), False


def _answer_body(body: bytes, is_whole: bool, secrets: list[str]) -> tuple[str, bool]:
    """The beginning of a body as text, and whether something of it is missing.

    Bytes that are no UTF-8 become U+FFFD. It is never decompressed: a few bytes may become a lot.
    """
    text = body.decode("utf-8", "replace")
    if not is_whole and secrets:
        # A secret whose end was not read would not be recognised.
        text = text[: -len(secrets[0])]
    masked = _without(text, secrets).encode()
    is_cut = not is_whole or len(masked) > SHOWN_BODY_BYTES
    return masked[:SHOWN_BODY_BYTES].decode("utf-8", "ignore"), is_cut
