"""What becomes of a POST to a try-out: who it is from, what is kept of it, and what is answered.

A try-out does what the documentation asks of receivers: it verifies the signature over the raw
bytes, refuses what is not from its connector, and reads the event. Only an event of the try-out's
own project is kept, so that an address holds nothing but what the connector delivers.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dataconnectors import receive
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import open_secrets
from dataconnectors.tryouts.delivery import TriedDelivery
from dataconnectors.tryouts.try_out import TryOut, TryOutAnswer

MAXIMUM_BODY = 64 * 1024
"""Bytes of a body. A queue message is no larger, and a body is a part of one."""

KEPT_BODY = 16 * 1024
"""Bytes of a body that are kept. Most events have fewer than a thousand, and a page of fifty bodies
of this size stays under the 6 MB that Lambda may answer, even when JSON doubles them."""

SLOWEST = 20.0
"""Seconds. API Gateway gives up after 30, and each second of waiting is billed."""

SLOW_MARGIN = 1.0
"""Seconds that a slow answer comes after the attempt's deadline."""

_NOT_THE_SENDERS = ("x-forwarded-", "x-amzn-", "x-amz-cf-", "forwarded", "via")
"""What the names of headers begin with that gateways and proxies on the way have added."""


class Verdict(NamedTuple):
    """Who a delivery is from, whether its signature is valid, and what it says.

    `problem` is why it is refused with `status`, "" when it is not.
    """

    connector: str
    signature_valid: bool | None
    event: receive.Event | None
    problem: str = ""
    status: int = 0


def senders(try_out: TryOut, connectors: Sequence[Connector], now: float) -> list[Connector]:
    """The connectors whose URL is the try-out's address.

    The path alone is compared: it cannot be guessed, and a stack may have several host names.
    `now` is in epoch seconds.
    """
    if now >= try_out.expires_at:
        return []
    return [each for each in connectors if _path_of(each.url) == try_out.path]


def inspect(
    connectors: Sequence[Connector],
    vault: Vault,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
) -> Verdict:
    """Judge a delivery; `connectors` are those that deliver to the try-out, at least one.

    A connector's own secret counts, and its previous one for as long as it signs. Raises
    `VaultError` when KMS opens no secret now.
    """
    refused: Verdict | None = None
    for connector in connectors:
        secrets = open_secrets(connector, vault).at(now)
        valid = [each for each in (secrets.signature_secret, secrets.previous_secret) if each]
        try:
            if valid:
                event = receive.receive(headers, body, valid, now=now)
                return _of_own_project(connector, Verdict(connector.name, True, event))
            event = receive.parse(body)
            return _of_own_project(connector, Verdict(connector.name, None, event))
        except receive.UnverifiedError as error:
            refused = Verdict("", False, None, str(error), error.status)
        except receive.UnreadableError as error:
            verified = True if valid else None
            refused = Verdict(connector.name, verified, None, str(error), error.status)
    if refused is None:
        raise ValueError("no connector delivers to this try-out")
    return refused


def answer_of(verdict: Verdict, answer: TryOutAnswer, attempt_timeout: float) -> tuple[int, float]:
    """The status to answer, and after how many seconds.

    `attempt_timeout` is the deadline of one attempt, in seconds.
    """
    if verdict.problem:
        return verdict.status, 0.0
    if answer is TryOutAnswer.SLOW:
        return 200, min(attempt_timeout + SLOW_MARGIN, SLOWEST)
    return int(answer.value), 0.0


def kept(
    verdict: Verdict,
    headers: Mapping[str, str],
    body: bytes,
    answered: tuple[int, float],
    now: float,
) -> TriedDelivery:
    """What is kept of a delivery. Of a refused one that is neither headers nor body."""
    event = verdict.event
    accepted = event is not None and not verdict.problem
    return TriedDelivery(
        time=now,
        connector=verdict.connector,
        signature_valid=verdict.signature_valid,
        problem=verdict.problem,
        status=answered[0],
        seconds=answered[1],
        event_id=event.event_id if event and accepted else "",
        event_type=event.event_type if event and accepted else "",
        headers=_of_the_sender(headers) if accepted else {},
        body=body[:KEPT_BODY].decode("utf-8", "ignore") if accepted else "",
        is_truncated=accepted and len(body) > KEPT_BODY,
        size=len(body),
    )


def _of_own_project(connector: Connector, verdict: Verdict) -> Verdict:
    project = f"projects/{connector.project}/"
    if verdict.event is None or verdict.event.target_name.startswith(project):
        return verdict
    return verdict._replace(
        event=None, problem="the event is of another project than this address", status=400
    )


def _of_the_sender(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if not name.lower().startswith(_NOT_THE_SENDERS)
    }


def _path_of(url: str) -> str:
    """The path and the query of a connector's URL, which has been checked: `https://host/…`."""
    _, _, rest = url.partition("://")
    return "/" + rest.partition("/")[2]
