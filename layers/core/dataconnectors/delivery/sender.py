"""Sends a batch of queue messages. `Sender.send` shows the order of its steps; each is a module."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from dataconnectors.aws.vault import Vault
from dataconnectors.delivery.attempt_log import AttemptLog, Write
from dataconnectors.delivery.attempts import Attempts
from dataconnectors.delivery.back_off import AttemptCounters, BackOff
from dataconnectors.delivery.connector_reader import ConnectorReader, Connectors
from dataconnectors.delivery.deadlines import Clocks, Deadlines
from dataconnectors.delivery.departures import DeadLetters, Departures, ExpiredEvents
from dataconnectors.delivery.gone import Disable, GoneEndpoints
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.outages import FailingConnectors, Outages
from dataconnectors.delivery.received import QueuedEvent, ReceivedMessage, oldest_age
from dataconnectors.delivery.results import LEAVES_QUEUE, Result, Verdict, undeliverable
from dataconnectors.delivery.selection import Selection
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.outcomes import Outcome
from dataconnectors.kernel.errors import MessageError
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers


class Sender:
    """Sends batches. One for each process: it keeps threads, and its client keeps connections."""

    def __init__(
        self,
        connectors: Connectors,
        vault: Vault,
        endpoint_client: EndpointClient,
        visibility: QueueVisibility,
        dead_letters: DeadLetters,
        expired_events: ExpiredEvents,
        attempt_counters: AttemptCounters,
        failing_connectors: FailingConnectors,
        workers: Workers,
        log: Log,
        *,
        log_mode: LogMode = LogMode.OFF,
        log_one_in: int = 1,
        write_attempts: Write = len,
        report_attempts: Callable[
            [Sequence[Outcome], Sequence[float]], object
        ] = lambda outcomes, first_waits: None,
        report_expired: Callable[[int], object] = lambda count: None,
        disable_gone: Disable | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is the monotonic clock, `now` gives epoch seconds.

        `report_attempts` is called with the outcomes of a batch's attempts and with how long events
        have waited for their first one (see `metric_values`), `report_expired` with
        the number of its events that have expired; neither when there are none. `log_mode`,
        `log_one_in` and `write_attempts` are those of `attempt_log.AttemptLog`. `disable_gone`
        disables a connector whose endpoint answers 410; None when that is like any other failure.
        """
        self._clocks = Clocks(clock, now)
        self._attempt_timeout = endpoint_client.timeout
        self._selection = Selection(
            ConnectorReader(connectors, vault, workers, log, clock), self._clocks
        )
        self._outages = Outages(
            failing_connectors, workers, log, self._clocks, endpoint_client.timeout
        )
        self._attempts = Attempts(endpoint_client, workers, log, self._clocks)
        self._departures = Departures(
            dead_letters, expired_events, workers, log, self._clocks, report_expired
        )
        self._back_off = BackOff(visibility, attempt_counters, workers, log, self._clocks)
        self._attempt_log = AttemptLog(
            log_mode, log_one_in, write_attempts, workers, log, self._clocks
        )
        self._gone = (
            None
            if disable_gone is None
            else GoneEndpoints(disable_gone, workers, log, self._clocks)
        )
        self._report_attempts = report_attempts
        self._log = log

    def send(self, messages: Sequence[ReceivedMessage], seconds_left: float) -> list[str]:
        """Send what is to be sent, and return the ids of the messages that stay in the queue.

        Ends within `seconds_left`, less what it takes to return. Raises nothing for what
        endpoints, messages and AWS do.
        """
        started = self._clocks.monotonic()
        deadlines = Deadlines.of(started, seconds_left, self._attempt_timeout)
        events, results = self._read(messages)
        selected, others = self._selection.select(events, deadlines.last_start)
        held = self._outages.hold(selected, deadlines.last_start)
        results += [*others, *held.results]
        first_waits = self._first_waits([each.event for each in held.attempted])
        results += self._attempts.make(held.attempted, deadlines.last_start)
        results = self._departures.confirm(results, deadlines.confirmed)
        self._back_off.apply(results, self._outages.evidence(held, results), deadlines.end)
        self._departures.count_expired(results, deadlines.end)
        if self._gone is not None:
            self._gone.apply(results, deadlines.end)
        unlogged = self._attempt_log.write(results, deadlines.end)
        self._report(messages, events, results, first_waits, started, unlogged)
        return [
            result.message.message_id for result in results if result.verdict not in LEAVES_QUEUE
        ]

    def _read(self, messages: Sequence[ReceivedMessage]) -> tuple[list[QueuedEvent], list[Result]]:
        """The events in the messages, and the results of messages that are not ours."""
        events, results = [], []
        for message in messages:
            try:
                events.append(QueuedEvent.of(message))
            except MessageError as error:
                results.append(undeliverable(message, str(error), self._clocks))
        return events, results

    def _first_waits(self, attempted: Sequence[QueuedEvent]) -> list[float]:
        """Seconds from accepting to now, of the events whose first attempt is about to begin.

        Clocks of SQS and of this machine may differ by some milliseconds.
        """
        now = self._clocks.wall()
        return [max(0.0, each.age(now)) for each in attempted if each.message.receive_count == 1]

    def _report(
        self,
        messages: Sequence[ReceivedMessage],
        events: Sequence[QueuedEvent],
        results: Sequence[Result],
        first_waits: Sequence[float],
        started: float,
        unlogged: int,
    ) -> None:
        """One log line and the metrics of the batch."""
        outcomes = [result.outcome for result in results if result.outcome is not None]
        if outcomes:
            self._report_attempts(outcomes, first_waits)
        counts = Counter(result.verdict.value for result in results)
        self._log.info(
            "delivery.batch",
            extra={
                "connector": ", ".join(sorted({event.connector for event in events})),
                **{verdict.value: counts[verdict.value] for verdict in Verdict},
                "unlogged": unlogged,
                "duration_ms": round((self._clocks.monotonic() - started) * 1000),
                "oldest_age": round(oldest_age(messages, self._clocks.wall()), 3),
            },
        )
