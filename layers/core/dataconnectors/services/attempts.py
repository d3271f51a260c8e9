"""The attempt log as the API shows it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dataconnectors.aws.settings import AttemptLogSettings
from dataconnectors.connectors.secrets import MASK
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.logged_attempt import LoggedAttempt
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.kernel.ids import LONGEST_ID, is_id
from dataconnectors.store import keys
from dataconnectors.store.attempts import CLOCK_SKEW, RETENTION_SECONDS, AttemptStore
from dataconnectors.store.connectors import ConnectorStore

_ID = re.compile(rf"([A-Za-z0-9_-]{{1,{LONGEST_ID}}})-([0-9]{{16}})", re.ASCII)
"""An attempt's id: that of its event, and the microsecond in which it began."""

PHASES = ("queue", "dns", "connect", "tls", "firstByte", "rest", "total")
"""The durations of an attempt as answers have them."""


@dataclass(frozen=True, slots=True)
class AttemptQuery:
    """Which attempts a request asks for. Empty texts and None mean all, times are epoch seconds.

    `size` is at least 1, and `after` the position of the page before.
    """

    is_success: bool | None = None
    event_id: str = ""
    device: str = ""
    start: float | None = None
    end: float | None = None
    size: int = 100
    after: str = ""


class AttemptService:
    """The attempts of any project's connectors. Checks no permission.

    `map_parallel` calls a function for each element, as `map` does, but perhaps in threads. `now`
    gives epoch seconds.
    """

    def __init__(
        self,
        attempts: AttemptStore,
        connectors: ConnectorStore,
        log: AttemptLogSettings,
        map_parallel: Callable[..., Iterable[Any]],
        now: Callable[[], float],
    ) -> None:
        self._attempts = attempts
        self._connectors = connectors
        self._log = log
        self._map = map_parallel
        self._now = now

    def page(self, project: str, connector_id: str, query: AttemptQuery) -> tuple[Any, str]:
        """The content of a page without its token, and the position of the next one, or "".

        Raises `NotFoundError`. The attempts of a deleted connector are shown too, so the connector
        is looked up only when there is nothing to show.
        """
        name = self._name(project, connector_id)
        now = self._now()
        oldest, latest = now - RETENTION_SECONDS, now + CLOCK_SKEW
        start = oldest if query.start is None else max(query.start, oldest)
        end = latest if query.end is None else min(query.end, latest)
        found: list[LoggedAttempt] = []
        position, left_out = "", None
        if start < end and query.event_id:
            found, position = self._attempts.page_of_event(
                name, query.event_id, start, end, limit=query.size, after=query.after
            )
            found = [attempt for attempt in found if _fits(attempt, query)]
        elif start < end:
            page = self._attempts.page(
                name,
                start,
                end,
                limit=query.size,
                after=query.after,
                keep=_filter(query),
                map_shards=self._map,
            )
            found, position, left_out = page
        if not found and not position:
            self._check_exists(name)
        content = {
            "attempts": [to_api(attempt) for attempt in found],
            "log": {
                "mode": self._log.mode.upper(),
                "successesOneIn": self._one_in(),
                "dropped": left_out,
            },
        }
        return content, position

    def get(
        self, project: str, connector_id: str, attempt_id: str, *, show_answer: bool
    ) -> dict[str, Any]:
        """An attempt with request and answer. Raises `NotFoundError`.

        Without `show_answer`, what the endpoint has answered is masked, except for its status.
        """
        name = self._name(project, connector_id)
        match = _ID.fullmatch(attempt_id)
        attempt = match and self._attempts.attempt(name, match[1], int(match[2]))
        if not attempt or attempt.started_at < self._now() - RETENTION_SECONDS:
            raise NotFoundError(
                f"{name}/attempts/{attempt_id:.100} is not there: attempts are kept for 3 days"
            )
        return to_api(attempt) | _exchange_to_api(attempt, show_answer=show_answer)

    def _one_in(self) -> int | None:
        """Of how many successes one is logged; None when none is."""
        match LogMode(self._log.mode):
            case LogMode.ALL:
                return 1
            case LogMode.SAMPLED:
                return self._log.one_in
        return None

    def _name(self, project: str, connector_id: str) -> str:
        name = f"projects/{project}/dataconnectors/{connector_id}"
        if not is_id(connector_id):
            raise NotFoundError(f"{name:.200} is not there")
        return name

    def _check_exists(self, name: str) -> None:
        if self._connectors.connector(name) is None:
            raise NotFoundError(f"{name:.200} is not there")


def to_api(attempt: LoggedAttempt) -> dict[str, Any]:
    """An attempt as lists show it."""
    micros = keys.micros(attempt.started_at)
    return {
        "name": f"{attempt.connector}/attempts/{attempt.event_id}-{micros:016d}",
        "attemptTime": times.to_text(attempt.started_at),
        "eventId": attempt.event_id,
        "eventType": attempt.event_type,
        "deviceName": attempt.device,
        "attempt": attempt.number,
        "outcome": "FAILED" if attempt.error else "SUCCEEDED",
        "status": attempt.status,
        "error": attempt.error,
        "message": attempt.message,
        "durations": {phase: attempt.durations.get(phase) for phase in PHASES},
        "requestBytes": attempt.request_bytes,
        "responseBytes": attempt.response_bytes,
        "nextAttemptTime": "" if attempt.next_at is None else times.to_text(attempt.next_at),
        "isTest": attempt.is_test,
        "sampledOneIn": attempt.one_in,
        "leftOutBefore": attempt.left_out,
    }


def _exchange_to_api(attempt: LoggedAttempt, *, show_answer: bool) -> dict[str, Any]:
    exchange = attempt.exchange
    if exchange is None:  # only lists are without
        return {}
    headers, body = exchange.answer_headers, exchange.answer_body
    if not show_answer:
        headers, body = tuple((name, MASK) for name, _ in headers), MASK if body else ""
    answer = None
    if exchange.status is not None:
        answer = {
            "status": exchange.status,
            "headers": _headers(headers),
            "body": body,
            "isTruncated": exchange.is_answer_cut,
        }
    return {
        "request": {
            "method": "POST",
            "url": exchange.url,
            "headers": _headers(exchange.request_headers),
            "body": exchange.request_body,
        },
        "response": answer,
    }


def _headers(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """In a list, because a name may occur twice."""
    return [{"name": name, "value": value} for name, value in pairs]


def _filter(query: AttemptQuery) -> Callable[[LoggedAttempt], bool] | None:
    if query.is_success is None and not query.device:
        return None
    return lambda attempt: _fits(attempt, query)


def _fits(attempt: LoggedAttempt, query: AttemptQuery) -> bool:
    is_wanted = query.is_success is None or query.is_success == (not attempt.error)
    return is_wanted and query.device in ("", attempt.device)
