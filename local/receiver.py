"""A customer's HTTPS endpoint that fails or stalls on request, and remembers what it received."""

import base64
import itertools
import json
import re
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs

from local.server import Answer, LoopbackServer, Request, json_answer

# An event's body is at most a few dozen KiB; this leaves room for anything worth trying out.
BODY_LIMIT = 1024 * 1024

# What is remembered for each hook, oldest out first: enough for a long evening of events, and no
# more memory than that when a load test posts big bodies.
REQUESTS_KEPT = 10_000
BODY_BYTES_KEPT = 64 * 1024 * 1024

# With `per_event`, how many events are counted before the oldest counts are forgotten.
EVENTS_COUNTED = 100_000

# Longer than any sender waits for an answer. The answering thread is kept busy all that time.
MAXIMUM_DELAY_S = 3600.0

_ROUTE = re.compile(r"/(hook|control)/([A-Za-z0-9._~-]{1,128})(/requests)?")

# What json.loads raises on bytes that are no JSON: bad syntax, bad UTF-8, endless nesting.
_NOT_JSON = (ValueError, RecursionError)

_EXPECTED = {
    "status": "an integer from 200 to 599",
    "delay_s": f"a number of seconds from 0 to {MAXIMUM_DELAY_S:.0f}",
    "count": "a whole number from 0, or null for all answers",
    "per_event": "true or false",
}


class InvalidRuleError(Exception):
    """A rule that can't be followed; the message names the field and what was expected."""

    def __init__(self, field_name: str, expected: str) -> None:
        super().__init__(f"{field_name}: expected {expected}")
        self.field = field_name


@dataclass(frozen=True, slots=True)
class Rule:
    """How a hook answers.

    The next `count` answers (None: all) come after `delay_s` seconds with `status`; with
    `per_event` the next `count` for each event. All others are 200 at once.
    """

    status: int = 200
    delay_s: float = 0
    count: int | None = None
    per_event: bool = False

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The rule in a JSON object, each key optional. Raises InvalidRuleError."""
        try:
            value = json.loads(body)
        except _NOT_JSON:
            raise InvalidRuleError("body", "a JSON object") from None
        if not isinstance(value, dict):
            raise InvalidRuleError("body", "a JSON object")
        for name in value:
            if name not in _EXPECTED:
                raise InvalidRuleError(name, f"one of the fields {', '.join(_EXPECTED)}")
        rule = cls(**value)
        valid = {
            "status": type(rule.status) is int and 200 <= rule.status <= 599,
            "delay_s": type(rule.delay_s) in (int, float) and 0 <= rule.delay_s <= MAXIMUM_DELAY_S,
            "count": rule.count is None or (type(rule.count) is int and rule.count >= 0),
            "per_event": type(rule.per_event) is bool,
        }
        for name, is_valid in valid.items():
            if not is_valid:
                raise InvalidRuleError(name, _EXPECTED[name])
        return rule

    def as_json(self) -> dict[str, object]:
        """The rule with every key, as `parse` takes it."""
        return {name: getattr(self, name) for name in _EXPECTED}


@dataclass(slots=True)
class Arrival:
    """One request that arrived; `answered` is the status it got, None while it still waits."""

    number: int
    received_at: float
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    answered: int | None = None

    def as_json(self) -> dict[str, object]:
        """What `GET /control/<name>/requests` shows. Repeated headers are joined by commas."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return {
            "number": self.number,
            "received_at": self.received_at,
            "method": self.method,
            "headers": headers,
            "body": base64.b64encode(self.body).decode(),
            "answered": self.answered,
        }


@dataclass(slots=True)
class Hook:
    """The rule and the arrivals of one `/hook/<name>`. Not thread-safe by itself."""

    rule: Rule = Rule()
    _arrivals: deque[Arrival] = field(default_factory=deque)
    _body_bytes: int = 0
    _answers: int = 0
    _answers_by_event: dict[str, int] = field(default_factory=dict)

    def follow(self, rule: Rule) -> None:
        """Follow `rule` from now on, counting from nothing."""
        self.rule = rule
        self._answers = 0
        self._answers_by_event.clear()

    def take(self, arrival: Arrival) -> Rule:
        """Remember `arrival`; return the rule its answer follows."""
        self._arrivals.append(arrival)
        self._body_bytes += len(arrival.body)
        while len(self._arrivals) > REQUESTS_KEPT or self._body_bytes > BODY_BYTES_KEPT:
            self._body_bytes -= len(self._arrivals.popleft().body)
        return self.rule if self._counts(arrival.body) else Rule()

    def arrivals(self, after: int) -> list[Arrival]:
        """What arrived after number `after` and is still remembered, oldest first."""
        return [arrival for arrival in self._arrivals if arrival.number > after]

    def _counts(self, body: bytes) -> bool:
        """Whether the rule holds for this answer; counts it."""
        if self.rule.count is None:
            return True
        if not self.rule.per_event:
            self._answers += 1
            return self._answers <= self.rule.count
        event_id = event_id_of(body)
        answers = self._answers_by_event.pop(event_id, 0) + 1
        self._answers_by_event[event_id] = answers
        if len(self._answers_by_event) > EVENTS_COUNTED:
            del self._answers_by_event[next(iter(self._answers_by_event))]
        return answers <= self.rule.count


def event_id_of(body: bytes) -> str:
    """`event.eventId` of a delivery, or "" for a body that has none."""
    try:
        value = json.loads(body)
    except _NOT_JSON:
        return ""
    event = value.get("event") if isinstance(value, dict) else None
    event_id = event.get("eventId") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) else ""


class Receiver:
    """Plays a customer's endpoint.

    - `POST /hook/<name>` answers 200, or as the hook's rule says;
    - `PUT /control/<name>` with `{"status", "delay_s", "count", "per_event"}` sets its `Rule`;
    - `GET /control/<name>/requests` lists what arrived, oldest first; with `?after=<number>` only
      what came after that one;
    - `DELETE /control/<name>` forgets the rule and the arrivals.
    """

    def __init__(self, host: str, port: int, ssl_context: ssl.SSLContext) -> None:
        """Open nothing yet."""
        self._lock = threading.Lock()
        self._hooks: dict[str, Hook] = {}
        # One sequence for all hooks, so that `after` stays valid when a hook is forgotten.
        self._numbers = itertools.count(1)
        self._server = LoopbackServer(
            host, port, self._respond, body_limit=BODY_LIMIT, ssl_context=ssl_context
        )

    @property
    def port(self) -> int:
        """The port in use; before `start` the one asked for."""
        return self._server.port

    def start(self) -> None:
        """Open the port and serve in the background. Raises OSError when the port is taken."""
        self._server.start()

    def stop(self) -> None:
        """Close the port and every connection, those with an answer still due included."""
        self._server.stop()

    def _respond(self, request: Request) -> Answer:
        received_at = time.time()
        path, _, query = request.target.partition("?")
        route = _ROUTE.fullmatch(path)
        match route.groups() if route else None:
            case ("hook", name, None):
                return self._deliver(name, request, received_at)
            case ("control", name, None) if request.method == "PUT":
                return self._set_rule(name, request.body)
            case ("control", name, None) if request.method == "DELETE":
                with self._lock:
                    self._hooks.pop(name, None)
                return json_answer(200, {})
            case ("control", name, "/requests") if request.method == "GET":
                return self._list(name, query)
        return json_answer(
            404,
            {
                "error": f"no {request.method} {path} here; there are POST /hook/<name>, "
                "PUT and DELETE /control/<name>, GET /control/<name>/requests"
            },
        )

    def _deliver(self, name: str, request: Request, received_at: float) -> Answer:
        with self._lock:
            arrival = Arrival(
                number=next(self._numbers),
                received_at=received_at,
                method=request.method,
                headers=tuple(request.headers.items()),
                body=request.body,
            )
            rule = self._hooks.setdefault(name, Hook()).take(arrival)
        if request.method != "POST":
            # Listed nevertheless, because that shows that a client followed a redirect.
            arrival.answered = 405
            return json_answer(405, {"error": "a hook takes POST"}, ("Allow", "POST"))
        if rule.delay_s:
            self._server.stopping.wait(rule.delay_s)
        arrival.answered = rule.status
        headers = []
        if 300 <= rule.status < 400:
            # Redirects lead to another hook. A client that follows one appears in that hook's list.
            headers.append(("Location", f"/hook/{name}-redirected"))
        return json_answer(rule.status, {"answered": rule.status}, *headers)

    def _set_rule(self, name: str, body: bytes) -> Answer:
        try:
            rule = Rule.parse(body)
        except InvalidRuleError as error:
            return json_answer(400, {"error": str(error), "field": error.field})
        with self._lock:
            self._hooks.setdefault(name, Hook()).follow(rule)
        return json_answer(200, rule.as_json())

    def _list(self, name: str, query: str) -> Answer:
        after = parse_qs(query).get("after", ["0"])[-1]
        if not (after.isascii() and after.isdigit()):
            return json_answer(
                400, {"error": "after: expected the number of a request", "field": "after"}
            )
        with self._lock:
            hook = self._hooks.get(name)
            arrivals = hook.arrivals(int(after)) if hook else []
        # Outside the lock: encoding thousands takes a while, and deliveries keep coming.
        return json_answer(200, {"requests": [arrival.as_json() for arrival in arrivals]})
