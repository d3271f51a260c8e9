"""What an attempt posts, and which answers acknowledge the event."""

from collections.abc import Sequence

import jwt
import pytest

from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.delivery_headers import USER_AGENT, Headers, headers_of
from dataconnectors.endpoints.outcomes import Answer, Delivered, Failed, FailureKind, NoAnswer
from dataconnectors.receive import verify

BODY = b'{"event":{}}'
NOW = 1_700_000_000.0
URL = "https://example.com/hook?a=1"


class Transport:
    """A fake of a customer's endpoint: it gives `answers` in turn, each after `seconds`."""

    def __init__(self, *answers: int | Answer | NoAnswer, seconds: float = 0.5) -> None:
        self.answers = list(answers)
        self.posts: list[tuple[Destination, Headers, bytes, float]] = []
        self.elapsed = 100.0
        self.seconds = seconds

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer | NoAnswer:
        self.posts.append((destination, headers, body, timeout))
        self.elapsed += self.seconds
        answer = self.answers.pop(0)
        return Answer(answer) if isinstance(answer, int) else answer

    def client(self, any_2xx: bool = False) -> EndpointClient:
        return EndpointClient(
            self,
            timeout=10.0,
            acknowledge_any_2xx=any_2xx,
            clock=lambda: self.elapsed,
            now=lambda: NOW,
            entropy=bytes,
        )


@pytest.mark.parametrize("any_2xx", [False, True])
@pytest.mark.parametrize("status", [100, 101, 199, 200, 201, 204, 299, 300, 302, 404, 410, 503])
def test_only_200_acknowledges_unless_every_2xx_is_allowed_to(status: int, any_2xx: bool) -> None:
    outcome = Transport(status).client(any_2xx).attempt(URL, Secrets(), BODY, "e1")
    if status == 200 or (any_2xx and 200 <= status < 300):
        assert outcome == Delivered(status, 0.5)
    else:
        assert outcome == Failed(FailureKind.STATUS, f"example.com answered {status}", 0.5, status)


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120.0),
        (503, "Tue, 14 Nov 2023 22:15:20 GMT", 120.0),  # NOW is 22:13:20
        (503, "86400", 3600.0),
        (429, "soon", 0.0),
        (500, "120", 0.0),
        (404, "120", 0.0),
    ],
)
def test_retry_after_is_honoured_with_429_and_503_for_an_hour_at_most(
    status: int, header: str, seconds: float
) -> None:
    outcome = Transport(Answer(status, header)).client().attempt(URL, Secrets(), BODY, "e1")
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.retry_after) == (status, seconds)


def test_an_attempt_without_an_answer_fails_with_the_reason_and_the_time_it_took() -> None:
    no_answer = NoAnswer(FailureKind.TLS, "example.com: certificate has expired")
    outcome = Transport(no_answer).client().attempt(URL, Secrets(), BODY, "e1")
    assert outcome == Failed(FailureKind.TLS, "example.com: certificate has expired", 0.5)


def test_a_post_has_the_path_the_headers_the_body_and_the_timeout() -> None:
    transport = Transport(200)
    transport.client().attempt(URL, Secrets(), BODY, "e1")
    ((destination, headers, body, timeout),) = transport.posts
    assert destination == Destination("example.com", 443, "/hook?a=1")
    assert headers == {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    assert (body, timeout) == (BODY, 10.0)


def test_each_attempt_has_a_new_signature() -> None:
    transport = Transport(500, 200)
    now = [NOW, NOW + 7200]
    client = EndpointClient(transport, timeout=10.0, now=lambda: now.pop(0))
    secrets = Secrets("0123456789abcdef0123456789abcdef")
    for _ in range(2):
        client.attempt(URL, secrets, BODY, "e1")
    first, second = (
        jwt.decode(
            headers["X-Dt-Signature"],
            secrets.signature_secret,
            ["HS256"],
            options={"verify_exp": False},
        )
        for _, headers, _, _ in transport.posts
    )
    assert second["iat"] - first["iat"] == 7200
    assert first["jti"] != second["jti"]


def headers_at(now: float, secrets: Secrets) -> Headers:
    """The headers of an attempt to send the event `e1`."""
    transport = Transport(200)
    client = EndpointClient(transport, timeout=10.0, now=lambda: now)
    client.attempt(URL, secrets, BODY, "e1")
    ((_, headers, _, _),) = transport.posts
    return headers


@pytest.mark.parametrize(
    ("now", "signs"), [(NOW, True), (NOW + 3599.9, True), (NOW + 3600, False), (NOW + 7200, False)]
)
def test_the_previous_secret_signs_too_until_its_time_is_over(now: float, signs: bool) -> None:
    headers = headers_at(now, Secrets("new", (), "old", NOW + 3600))
    verify(headers["X-Dt-Signature"], BODY, "new", now=now)
    assert ("X-Dt-Signature-Previous" in headers) == signs
    if signs:
        verify(headers["X-Dt-Signature-Previous"], BODY, "old", now=now)


def test_standard_webhooks_are_signed_by_every_valid_secret() -> None:
    def signatures(now: float) -> list[str]:
        headers = headers_at(now, Secrets("new", (), "old", NOW + 3600, standard_webhooks=True))
        assert (headers["Webhook-Id"], headers["Webhook-Timestamp"]) == ("e1", f"{now:.0f}")
        return headers["Webhook-Signature"].split(" ")

    assert len(signatures(NOW)) == 2
    assert len(signatures(NOW + 3600)) == 1


def test_a_connector_that_asks_for_nothing_gets_the_vendors_headers_alone() -> None:
    assert set(headers_at(NOW, Secrets("new"))) == {"Content-Type", "User-Agent", "X-Dt-Signature"}


@pytest.mark.parametrize("url", ["http://example.com/", "https://10.0.0.1/", "nonsense"])
def test_a_url_that_is_no_longer_allowed_is_refused_without_a_post(url: str) -> None:
    transport = Transport()
    outcome = transport.client().attempt(url, Secrets(), BODY, "e1")
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED_ADDRESS
    assert transport.posts == []


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ([("Authorization", "Bearer x")], {"Authorization": "Bearer x"}),
        ([("user-agent", "Mine/2")], {"User-Agent": "Mine/2"}),
        ([("content-type", "text/plain"), ("HOST", "a"), ("Content-length", "1")], {}),
        ([("x-dt-signature", "forged"), ("X-DT-Signature-Previous", "forged")], {}),
        ([("webhook-id", "1"), ("Webhook-Timestamp", "2"), ("WEBHOOK-SIGNATURE", "v1,3")], {}),
        ([("Expect", "100-continue"), ("TE", "gzip"), ("x-team", "blue")], {"x-team": "blue"}),
        ([("connection", "close"), ("Keep-Alive", "1"), ("UPGRADE", "h2c")], {}),
        ([("X-Ort", "Kühlraum €")], {"X-Ort": "KÃ¼hlraum â\x82¬"}),
    ],
)
def test_custom_headers_are_sent_but_do_not_replace_the_reserved_ones(
    configured: Sequence[tuple[str, str]], expected: dict[str, str]
) -> None:
    ours = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    assert headers_of(Secrets("", tuple(configured)), {}) == ours | expected
