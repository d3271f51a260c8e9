"""No attempt begins after a call has disabled or deleted the connector, whatever the timing.

The tests run in virtual time. A batch takes time in four places: until its read reaches the
database, until the answer is back, until KMS answers, and before each attempt. The customer's call
commits at any moment of that. The sender and the config API are the real ones; the database, KMS,
threads, clocks and the endpoint are fakes.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ReadTimeoutError

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.freshness import FRESH_SECONDS, READS, SETTLE_SECONDS, FreshRead
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.endpoints.outcomes import Answer
from dataconnectors.events.message import Message
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel.errors import NotFoundError, StaleError
from dataconnectors.kernel.workers import Workers
from dataconnectors.services.connectors import ConnectorService
from tests.support.rows import a_connector
from tests.support.senders import a_sender
from tests.support.sqs_visibility import Sqs

T = TypeVar("T")

NAME = "projects/p/dataconnectors/c"
URL, OTHER_URL = "https://example.com/1", "https://example.com/2"
ACTOR = Actor("me@example.com", "key", "192.0.2.1", 0.0, "request")
CONNECTOR = a_connector(url=URL, sealed=b"1", epoch=3, version=7, queue_id="abc")
STEP = 0.07
"""Seconds between the moments that are tried. No delay of the timelines is a multiple of it."""


class Timeline(Workers):
    """A sender, a connector and a customer. Actions that are due run when time passes.

    `there`, `back` and `kms` are seconds: until a read reaches the database, until its answer is
    back, and until KMS answers. `starts` are the seconds before the thread of an attempt runs. The
    values of a sequence are used in turn.
    """

    def __init__(
        self,
        *,
        there: Sequence[float] = (0.0,),
        back: Sequence[float] = (0.0,),
        kms: float = 0.0,
        starts: Sequence[float] = (0.0,),
    ) -> None:
        super().__init__(10)
        self.time = 0.0
        self.row: Connector | None = CONNECTOR
        self.reads = 0
        self.dialled: list[tuple[float, str, str]] = []
        self.answered = float("inf")
        self._there, self._back = itertools.cycle(there), itertools.cycle(back)
        self._kms, self._starts = kms, starts
        self._due: list[tuple[float, Callable[[], object]]] = []
        self.sqs = Sqs()
        self.sender = a_sender(self, sqs=self.sqs, workers=self, clock=self.clock, now=self.clock)
        self.api = ConnectorService(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]  # nothing is provisioned here
            lambda url: url,
            None,  # type: ignore[arg-type]  # nor measured
            entropy=lambda count: b"\0" * count,
            now=self.clock,
            sleep=self.wait,
        )

    # --- time ----------------------------------------------------------------------------------

    def clock(self) -> float:
        return self.time

    def at(self, moment: float, action: Callable[[], object]) -> None:
        self._due = sorted([*self._due, (moment, action)], key=lambda due: due[0])

    def pass_time(self, seconds: float) -> None:
        until = self.time + seconds
        while self._due and self._due[0][0] <= until:
            moment, action = self._due.pop(0)
            self.time = max(self.time, moment)
            action()
        self.time = until

    def wait(self, seconds: float) -> None:
        """The sleep of the customer's call, which answers afterwards."""
        self.answered = self.time + seconds

    def run(self, calls: Sequence[Callable[[], T]], seconds: float) -> list[Future[T]]:
        """Run calls in parallel: all begin at the same moment, each after its own delay."""
        futures: list[Future[T]] = []
        began = ended = self.time
        delays = self._starts if len(calls) > 1 else (0.0,)
        for call, delay in sorted(
            zip(calls, itertools.cycle(delays), strict=False), key=lambda pair: pair[1]
        ):
            future: Future[T] = Future()
            # Actions that were due meanwhile have run. They do not run again for the next thread.
            self.pass_time(max(0.0, began + delay - self.time))
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001  # as an executor does
                future.set_exception(error)
            futures.append(future)
            ended = max(ended, self.time)
        return futures

    # --- database, KMS, endpoint, log ----------------------------------------------------------

    def was_removed(self, name: str) -> bool:
        return True

    def connector(self, name: str) -> Connector | None:
        """The sender's read. The read of the customer's call takes no time."""
        assert name == NAME
        if self._in_call:
            return self.row
        self.reads += 1
        self.pass_time(next(self._there))
        seen = self.row
        self.pass_time(next(self._back))
        return seen

    def open(self, ciphertext: bytes, name: str) -> bytes:
        if not self._in_call:
            self.pass_time(self._kms)
        return Secrets(ciphertext.decode()).to_bytes()

    def seal(self, plaintext: bytes, name: str) -> bytes:
        return Secrets.from_bytes(plaintext).signature_secret.encode()

    def post(
        self, destination: Any, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Answer:
        event = json.loads(body)["id"]
        self.dialled.append((self.time, event, f"https://example.com{destination.target}"))
        return Answer(200)

    def info(self, *_: Any, **__: Any) -> None: ...

    error = info

    # --- the customer --------------------------------------------------------------------------

    _in_call = False

    def update_connector(self, old: Connector, new: Connector, change: Any) -> Connector | None:
        assert self.row == old
        self.row = replace(new, version=old.version + 1)
        return self.row

    def call(self, act: Callable[[ConnectorService], object]) -> Callable[[], None]:
        def made() -> None:
            self._in_call = True
            try:
                self.answered = self.time
                act(self.api)
            finally:
                self._in_call = False

        return made

    def send(self, *events: str, epoch: int = 3) -> set[str]:
        records = [
            ReceivedMessage(
                message_id=event,
                receipt_handle=event,
                queue_arn="arn:aws:sqs:eu-west-1:111122223333:dc-c-abc",
                receive_count=1,
                sent_at=self.time,
                first_received_at=self.time,
                text=Message(NAME, epoch, event, 0, json.dumps({"id": event})).to_text(),
            )
            for event in events
        ]
        return set(self.sender.send(records, 30.0))


def disable(api: ConnectorService) -> None:
    api.update("p", "c", {"status": "USER_DISABLED"}, None, ACTOR)


def enable(api: ConnectorService) -> None:
    api.update("p", "c", {"status": "ACTIVE"}, None, ACTOR)


def delete(api: ConnectorService) -> None:
    api.delete("p", "c", ACTOR)


def timelines() -> Iterator[dict[str, Any]]:
    """Timelines with a short and a long delay in each place."""
    for there, back, kms, starts in itertools.product(
        [(0.0,), (0.3,), (0.7, 0.1), (0.4, 0.0)],
        [(0.0,), (0.3,), (0.6, 0.0), (0.1, 0.55)],
        [0.0, 0.2],
        [(0.0,), (0.0, 0.45, 0.55), (0.3, 2.0), (0.0, 0.49, 0.5, 0.51, 1.2)],
    ):
        yield {"there": there, "back": back, "kms": kms, "starts": starts}


@pytest.mark.parametrize("act", [disable, delete])
def test_no_attempt_begins_once_a_disabling_call_has_answered(
    act: Callable[[ConnectorService], None],
) -> None:
    runs = late = 0
    for parts in timelines():
        for moment in range(20):
            timeline = Timeline(**parts)
            timeline.at(moment * STEP, timeline.call(act))
            timeline.send("a", "b", "c", "d", "e")
            timeline.pass_time(10.0)
            committed = moment * STEP
            assert timeline.answered == committed + SETTLE_SECONDS
            for began, _, _ in timeline.dialled:
                assert began < timeline.answered, (parts, moment)
                assert began < committed + FRESH_SECONDS, (parts, moment)
                late += began > committed
            runs += 1
    # The test proves something only if some calls came between a read and its attempts.
    assert runs == 2560
    assert late > 200


def test_events_of_a_disabled_connector_are_not_sent_after_it_is_enabled_again() -> None:
    postponed = 0
    for parts in timelines():
        for moment, pause in itertools.product(range(0, 30, 7), (0.0, 0.2)):
            timeline = Timeline(**parts)
            disabled = moment * STEP
            enabled = disabled + SETTLE_SECONDS + pause
            timeline.at(disabled, timeline.call(disable))
            timeline.at(enabled, timeline.call(enable))
            timeline.send("a", "b", "c", "d", "e")
            timeline.pass_time(10.0)
            assert timeline.answered == enabled  # Enabling does not wait.
            assert all(began < disabled + FRESH_SECONDS for began, _, _ in timeline.dialled)
            assert timeline.row is not None
            sent = len(timeline.dialled)
            timeline.send("f", epoch=3)
            assert len(timeline.dialled) == sent
            remaining = timeline.send("g", epoch=timeline.row.epoch)
            # When no read is fast enough, the event stays in its queue.
            assert [event for _, event, _ in timeline.dialled[sent:]] == ["g"] * (not remaining)
            postponed += len(remaining)
    assert 0 < postponed < 640


def test_every_attempt_begins_soon_after_the_start_of_a_read() -> None:
    for parts in timelines():
        timeline = Timeline(**parts)
        began_reads: list[float] = []
        read = timeline.connector

        def watched(name: str, read: Any = read, log: list[float] = began_reads) -> Any:
            log.append(timeline.time)  # noqa: B023  # called only within this iteration
            return read(name)

        timeline.connector = watched  # type: ignore[method-assign]
        timeline.send("a", "b", "c", "d", "e")
        for began, _, _ in timeline.dialled:
            before = [moment for moment in began_reads if moment <= began]
            assert began - max(before) < FRESH_SECONDS, parts


def test_a_repeated_call_does_not_answer_before_the_first_calls_change_has_settled() -> None:
    """A client repeats a call that timed out. The connector is disabled already, but attempts may
    still begin, so the second call has to wait as well."""
    timeline = Timeline()
    timeline.call(disable)()
    timeline.pass_time(0.1)
    timeline.call(disable)()
    assert timeline.answered == timeline.time + SETTLE_SECONDS
    timeline.call(delete)()
    timeline.pass_time(0.1)
    with pytest.raises(NotFoundError):
        timeline.call(delete)()
    assert timeline.answered == timeline.time + SETTLE_SECONDS


def test_changes_that_leave_a_connector_enabled_do_not_wait() -> None:
    timeline = Timeline()
    timeline.call(lambda api: api.update("p", "c", {"displayName": "x"}, None, ACTOR))()
    assert timeline.answered == timeline.time


def test_an_attempt_that_reads_again_uses_the_new_row() -> None:
    timeline = Timeline(starts=(0.0, 0.6))
    change = {"httpConfig": {"url": OTHER_URL}}
    timeline.at(0.3, timeline.call(lambda api: api.update("p", "c", change, None, ACTOR)))
    assert timeline.send("a", "b") == set()
    assert [(event, url) for _, event, url in timeline.dialled] == [("a", URL), ("b", OTHER_URL)]


def test_a_batch_reads_once_and_its_ten_late_attempts_share_a_second_read() -> None:
    timeline = Timeline(there=(0.01,))
    timeline.send(*"abcdefghij")
    assert timeline.reads == 1
    timeline = Timeline(there=(0.01,), starts=(0.6,))
    timeline.send(*"abcdefghij")
    assert timeline.reads == 2
    assert len(timeline.dialled) == 10


def test_messages_wait_when_the_database_is_always_too_slow() -> None:
    timeline = Timeline(back=(0.6,))
    assert timeline.send("a", "b") == {"a", "b"}
    assert timeline.dialled == []
    assert timeline.reads == READS
    assert timeline.sqs.visibility == {"a": 8, "b": 8}


def test_a_failed_read_fails_for_every_thread_that_waited_for_it() -> None:
    reads = []

    def read() -> None:
        reads.append(1)
        raise ReadTimeoutError(endpoint_url="https://aws")

    fresh = FreshRead(read, clock=lambda: 0.0)
    for _ in range(3):
        with pytest.raises(ReadTimeoutError):
            fresh.get(1.0)
    assert len(reads) == 1


def test_nothing_is_read_after_the_deadline() -> None:
    fresh = FreshRead(lambda: pytest.fail("read"), clock=lambda: 2.0)
    with pytest.raises(StaleError):
        fresh.get(1.9)
