"""Mistakes that somebody could make in our code. A run has to find each of them.

A mutant is one change of source text, which is made to the real function at run time. If the text
no longer exists, the test of mutants fails, and the mutant has to be rewritten.
"""

import contextlib
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.ingest import app as _ingest  # noqa: F401  # before any mutant: they import by name
from functions.sender import app as _sender  # noqa: F401
from tests.faults.world import Gone, Report, Scenario, run

EVENTS = 10_000
"""Every mutant is found within so many events, most within a few hundred."""

SEEDS = tuple(range(18, 28))
"""The seeds of the runs that share the events. Each run begins in another state."""

INTENSITY = 3.0


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `where`: a function's folder, or `module:Class.method`.

    `sign` is a pattern that a violation for it has to fit. `seed` is that of the first run and
    `events` the number of events of each, where others than the usual ones show the mutant sooner:
    every test run waits for that. `gone` is the scenario's.
    """

    name: str
    where: str
    old: str
    new: str
    sign: str
    seed: int = SEEDS[0]
    gone: Gone | None = None
    events: int = EVENTS // len(SEEDS)


UNDELIVERED = "was deleted undelivered"
UNQUEUED = "was accepted and not queued"

MUTANTS = (
    Mutant(
        "the Failed list of SendMessageBatch is ignored",
        "dataconnectors.ingest.queues:ConnectorQueues._send_batch",
        'answer.get("Successful", []):',
        'answer.get("Successful", []) + answer.get("Failed", []):',
        UNQUEUED,
    ),
    Mutant(
        "a send that timed out counts as confirmed",
        "dataconnectors.ingest.queues:ConnectorQueues._send_batch",
        "except BotoCoreError as error:",
        "except BotoCoreError as error:\n                return SendResult({})",
        UNQUEUED,
    ),
    Mutant(
        "the rest of more than ten messages is forgotten",
        "dataconnectors.ingest.queues:split_into_batches",
        "    if batch:\n        yield batch",
        "    if len(batch) == BATCH_ENTRIES:\n        yield batch",
        UNQUEUED,
    ),
    Mutant(
        "200 before every queue has confirmed",
        "dataconnectors.ingest.acceptance:EventAcceptor._accept_valid",
        "AcceptResult(len(messages) - len(unconfirmed), refused, unconfirmed)",
        "AcceptResult(len(messages), refused, {})",
        "was accepted and",
    ),
    Mutant(
        "unprocessed items of history are forgotten",
        "dataconnectors.store.history_writer:HistoryWriter._put",
        "            if not remaining:",
        "            if True:",
        "is not in history",
        seed=101,
        events=400,
    ),
    Mutant(
        "kept connectors are used without asking for the version",
        "dataconnectors.ingest.active_connectors:ActiveConnectors.of_project",
        "if remembered is not None and remembered.version == version:",
        "if remembered is not None:",
        "queue|undelivered",  # nothing is queued, or for an epoch that is over
    ),
    Mutant(
        "a change does not bump the configuration's version",
        "dataconnectors.store.connectors:ConnectorStore._bump",
        '"version", 1)',
        '"version", 0)',
        "queue|undelivered",
    ),
    Mutant(
        "connectors are read without strong consistency",
        "dataconnectors.store.table:Table.get",
        "ConsistentRead=True",
        "ConsistentRead=False",
        "was sent",
    ),
    Mutant(
        "acknowledged before the POST",
        "dataconnectors.delivery.attempts:Attempts._attempt",
        "        ended, ended_at = self",
        "        outcome = Delivered(200, 0.0)\n        ended, ended_at = self",
        UNDELIVERED,
    ),
    Mutant(
        "a kept connection that is dead fails the attempt",
        "dataconnectors.endpoints.transport:Transport._answer",
        "or not limits.allow_another_connection()",
        "or True",
        "a kept connection was dead",
    ),
    Mutant(
        "a POST is repeated although an answer has begun",
        "dataconnectors.endpoints.limits:Limits.allow_another_connection",
        "self._bytes_left < ANSWER_BYTES or",
        "",
        "posted again",
    ),
    Mutant(
        "a POST is repeated although it went over a new connection",
        "dataconnectors.endpoints.transport:Transport._answer",
        "kept = self._take(destination)",
        "kept = self._take(destination) or self._new(destination)",
        "posted again",
    ),
    Mutant(
        "no answer counts as delivered",
        "dataconnectors.endpoints.client:EndpointClient.attempt",
        "return Failed(answer.kind, answer.message, response_time)",
        "return Delivered(200, response_time)",
        UNDELIVERED,
    ),
    Mutant(
        "any 2xx acknowledges",
        "dataconnectors.endpoints.client:EndpointClient.__init__",
        "range(200, 201)",
        "range(200, 300)",
        UNDELIVERED,
    ),
    Mutant(
        "the epoch is not looked at",
        "dataconnectors.connectors.connector:Connector.sends",
        "self.is_active and self.epoch == epoch",
        "self.is_active",
        "disabled",
    ),
    Mutant(
        "a database that fails is taken for a connector that is gone",
        "dataconnectors.delivery.connector_reader:ConnectorReader._found",
        "return Verdict.POSTPONED",
        "return Verdict.DROPPED",
        UNDELIVERED,
    ),
    Mutant(
        "what was read of a connector is never too old",
        "dataconnectors.delivery.freshness:FreshRead.get",
        "if reading is not None and now - reading.began < FRESH_SECONDS:",
        "if reading is not None:",
        "after the call that disabled",
        seed=102,
    ),
    Mutant(
        "a disabling call answers at once",
        "dataconnectors.services.connectors:ConnectorService._wait_for_senders",
        "self._sleep(SETTLE_SECONDS)",
        "pass",
        "after the call that disabled",
    ),
    Mutant(
        "an expired event leaves without its record",
        "dataconnectors.delivery.departures:Departures.confirm",
        "_leaving(result) if result.message.message_id in confirmed else result",
        "_leaving(result) if result.expired or result.message.message_id in confirmed else result",
        UNDELIVERED,
        seed=104,
        events=400,
    ),
    Mutant(
        "a record of an expired event forgets its attempts",
        "dataconnectors.delivery.expiring:record_of",
        "attempts=event.message.receive_count",
        "attempts=0",
        "is recorded as",
        seed=101,
        events=400,
    ),
    Mutant(
        "a receive without an attempt replaces an event's last error",
        "dataconnectors.store.expired_events:ExpiredEventStore.save",
        'item["kind"]["S"] != UNTRIED',
        "True",
        "its record now says untried",
        seed=106,
        events=400,
    ),
    Mutant(
        "attempts are not counted when one fails",
        "dataconnectors.delivery.back_off:BackOff.apply",
        "in _counts(results)",
        "in ([] if any(result.due for result in results) else _counts(results))",
        "are not in its metrics",
    ),
    Mutant(
        "a create call that is sent again makes a second connector",
        "dataconnectors.services.connectors:ConnectorService._find_or_create",
        "if first is not None and",
        "if False and",
        "was made by a call that has made",
    ),
    Mutant(
        "a change is written over whatever others have changed",
        "dataconnectors.store.connectors:ConnectorStore.update_connector",
        '"version = :version", _version_value(old)',
        '"attribute_exists(pk)"',
        "leaves it out|there again",
        seed=105,
    ),
    Mutant(
        "unsigned when KMS fails",
        "dataconnectors.delivery.connector_reader:ConnectorReader._read_one",
        "        return ReadConnector(connector, open_secrets(connector, self._vault))",
        "        try:\n"
        "            opened = open_secrets(connector, self._vault)\n"
        "        except VaultError:\n"
        "            return ReadConnector(connector, NO_SECRETS)\n"
        "        return ReadConnector(connector, opened)",
        "with a signature",
    ),
    Mutant(
        "secrets are kept by name alone",
        "dataconnectors.aws.vault:Vault.open",
        "key = (name, ciphertext)",
        'key = (name, b"")',
        "with a signature",
    ),
    Mutant(
        "bodies are written anew for each attempt",
        "dataconnectors.delivery.received:QueuedEvent.of",
        "content.body.encode()",
        '__import__("json").dumps(__import__("json").loads(content.body)).encode()',
        "with another body",
    ),
    Mutant(
        "a malformed message costs its batch",
        "dataconnectors.delivery.sender:Sender._read",
        "except MessageError as error:",
        "except ZeroDivisionError as error:",
        "the sender raised",
    ),
    Mutant(
        "an exception empties the list of failures",
        "sender",
        "    remaining = sender.send(messages, context.get_remaining_time_in_millis() / 1000)",
        "    try:\n"
        "        remaining = sender.send([*messages, None], 30)\n"
        "    except Exception:\n"
        "        remaining = []",
        UNDELIVERED,
    ),
    Mutant(
        "an entry's key is misspelt",
        "sender",
        '"itemIdentifier"',
        '"itemId"',
        "was acknowledged and is sent again",
    ),
    Mutant(
        "the list's key is misspelt",
        "sender",
        '{"batchItemFailures": [',
        '{"batchItemsFailed": [',
        UNDELIVERED,
    ),
    Mutant(
        "failed messages get no wait of their own",
        "dataconnectors.delivery.sender:Sender.send",
        "self._back_off.apply(results, self._outages.evidence(held, results), deadlines.end)",
        "pass",
        "late",
    ),
    Mutant(
        "failed messages come back at once",
        "dataconnectors.delivery.back_off:_change",
        "max(0, math.ceil(wait))",
        "0",
        "comes -",
    ),
    Mutant(
        "the wait grows with each receive, attempt or not",
        "dataconnectors.delivery.retry:wait_after",
        "min(FIRST_WAIT * 2.0**exponent, longest_by_age, LONGEST_WAIT)",
        "min(FIRST_WAIT * 2.0**exponent, LONGEST_WAIT)",
        "late",
    ),
    Mutant(
        "failures are not counted",
        "dataconnectors.delivery.evidence:failing_after",
        "failures=count + failures.attempts",
        "failures=count",
        "failures of",
    ),
    Mutant(
        "a success is not noticed",
        "dataconnectors.delivery.outages:Outages.evidence",
        "if connector.failing is not None:",
        "if False:",
        "works again|had to be noticed",
    ),
    Mutant(
        "an outage never ends",
        "dataconnectors.delivery.outages:Outages._end",
        "self._failing_connectors.clear(connector)",
        "pass",
        "works again|had to be noticed",
    ),
    Mutant(
        "a canary is sent although another process has claimed it",
        "dataconnectors.delivery.outages:Outages._claim_canary",
        "if not call.result():",
        "if False:",
        "in an outage",
        seed=100,
    ),
    Mutant(
        "a canary is sent before it is due",
        "dataconnectors.delivery.outages:Outages._claim_canary",
        "or now < failing.canary_at",
        "",
        "before its canary",
    ),
    Mutant(
        "a canary is claimed for less time than its attempt takes",
        "dataconnectors.delivery.outages:Outages._claim_canary",
        "now + self._lease",
        "now + 5.0",
        "is claimed for",
    ),
    Mutant(
        "the next canary goes at once",
        "dataconnectors.delivery.evidence:failing_after_canary",
        "now + canary_interval(age)",
        "now",
        "the next canary",
    ),
    Mutant(
        "the event of a canary is held like the others",
        "dataconnectors.delivery.holding:canary_wait",
        "canary_interval(age) + SLOT",
        "hold_share(age)",
        "is due after",
    ),
    Mutant(
        "events are attempted in an outage",
        "dataconnectors.delivery.outages:Outages.hold",
        "results.append(held(each.event, connector, hold_share(age), spread, self._clocks))",
        "attempted.append(each)",
        "in an outage",
    ),
    Mutant(
        "events are held for too long",
        "dataconnectors.delivery.holding:hold_seconds",
        "share * (LEAST_SPREAD",
        "10 * share * (LEAST_SPREAD",
        "was held for",
    ),
    Mutant(
        "events are held for longer than their back-off",
        "dataconnectors.delivery.holding:hold_seconds",
        "wait_after(receive_count, 0, event_age)",
        "3600.0",
        "was held for",
        seed=100,
    ),
    Mutant(
        "a replay forgets a page when its process dies",
        "dataconnectors.ingest.replay:ReplayRunner._send",
        "            began = self._now()\n",
        "            began = self._now()\n"
        "            done = replace(run.replay, position=page.position or run.replay.position)\n"
        "            self._replays.save(done, run.process, began)\n",
        "left out",
        seed=22,
    ),
    Mutant(
        "a replay ends with its first page",
        "dataconnectors.ingest.replay:ReplayRunner._send",
        "if page.position is None:",
        "if page.events:",
        "left out",
    ),
    Mutant(
        "events are held beyond their 12 hours",
        "dataconnectors.delivery.holding:hold_seconds",
        "min(in_slot, LAST_ATTEMPT_AGE - LAST_LOOK - event_age)",
        "in_slot",
        "was held for",
        seed=175,
        events=400,
    ),
    Mutant(
        "a pause holds no event",
        "dataconnectors.delivery.outages:Outages.hold",
        "since = connector.held_since",
        "since = None if connector.is_paused else connector.held_since",
        "was held for",
    ),
    Mutant(
        "410 is forgotten",
        "dataconnectors.delivery.gone:GoneEndpoints.apply",
        "if result.gone is not None",
        "if False",
        "is gone, and is not disabled",
        gone="disables",
    ),
    Mutant(
        "410 disables although the stack does not want that",
        "sender",
        "disable_gone if settings.disable_on_gone else None",
        "disable_gone",
        "active was changed by a call that leaves it out",
        gone="fails",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant was found, and after how many events."""

    mutant: Mutant
    events: int
    report: Report

    @property
    def seen(self) -> str:
        """The first violation that fits the mutant's sign, or ""."""
        found = (text for text in self.report.violations if re.search(self.mutant.sign, text))
        return next(found, "")

    @property
    def is_caught(self) -> bool:
        """Whether the ledger found the mutant."""
        return bool(self.seen)


def try_out(mutant: Mutant) -> Verdict:
    """Run until the ledger finds the mutant, or until all events are processed."""
    edits = {} if ":" in mutant.where else {mutant.where: {mutant.old: mutant.new}}
    events = 0
    with contextlib.nullcontext() if edits else _mutated(mutant):
        for seed in (mutant.seed, *SEEDS[1:]):
            report = run(
                Scenario(
                    seed,
                    mutant.events,
                    INTENSITY,
                    until=mutant.sign,
                    edits=edits,
                    gone=mutant.gone,
                )
            )
            events += report.events
            verdict = Verdict(mutant, events, report)
            if verdict.is_caught:
                break
    return verdict


def table(verdicts: list[Verdict]) -> str:
    """The table of mutants in Markdown."""
    lines = ["| mutant | of | caught after | by |", "|---|---|---:|---|"]
    for verdict in verdicts:
        seen = verdict.seen or "**survived**"
        where = verdict.mutant.where.rpartition(":")[2]
        lines.append(
            f"| {verdict.mutant.name} | `{where}` | {verdict.events} events | {_short(seen)} |"
        )
    return "\n".join(lines)


@contextlib.contextmanager
def _mutated(mutant: Mutant) -> Iterator[None]:
    """Replace a function by one with changed source, in the same module."""
    module_name, _, path = mutant.where.partition(":")
    module = importlib.import_module(module_name)
    *owners, name = path.split(".")
    owner: Any = module
    for part in owners:
        owner = getattr(owner, part)
    kept = inspect.getattr_static(owner, name)
    source = inspect.getsource(getattr(owner, name))
    assert source.count(mutant.old) == 1, f"{mutant.where} does not have {mutant.old!r} once"
    source = source.replace(mutant.old, mutant.new)
    if owners:  # a method is indented
        source = f"if True:\n{source}"
    scope: dict[str, Any] = {}
    exec(compile(source, module.__file__ or "", "exec", dont_inherit=True), vars(module), scope)
    # A module that has imported a function by name has its own reference.
    users = [owner] if owners else _users(name, kept)
    for user in users:
        setattr(user, name, scope[name])
    try:
        yield
    finally:
        for user in users:
            setattr(user, name, kept)


def _users(name: str, function: Any) -> list[Any]:
    """The modules of the package that have imported a function by name."""
    return [
        module
        for module_name, module in sys.modules.items()
        if module_name.startswith("dataconnectors.") and vars(module).get(name) is function
    ]


def _short(violation: str) -> str:
    """A violation's text without ids."""
    words = violation.split()
    return " ".join(
        "…" if word.startswith("projects/") or word.isdigit() else word for word in words
    )
