"""Publishers, who publish events over HTTP and by invocation, and repeat those not accepted."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dataconnectors.events.message import Message
from dataconnectors.kernel import times
from tests.faults.accounts import Account, Call, Setting
from tests.faults.process import KilledError
from tests.support.http_api import request

if TYPE_CHECKING:
    from tests.faults.world import World

PAUSES = (0.1, 1.0, 5.0, 20.0)
PHASE_CALLS = (5, 80)
"""Mean seconds between two calls, and for how many calls one of these pauses is used."""

CALL_SIZES = ((1, 1), (2, 8), (9, 20), (30, 100))
CALL_SHARES = (0.4, 0.4, 0.15, 0.05)
"""Ranges of the number of events of a call, and the share of calls in each range."""

DIRECT_SHARE, EMULATED_SHARE = 0.2, 0.05
"""Shares of calls: direct invocations, and calls with the one event of an emulated device."""

CHANGES_PER_CALL = 0.05
OUTAGES_PER_CALL = 0.004
FOREIGN_MESSAGES_PER_CALL = 0.01
"""Calls to the config API, outages of an AWS service, and messages in another format, for each call
of a publisher."""

GONE_PER_CALL = 0.03
GONE_SECONDS = (60.0, 3600.0)
"""Endpoints that begin to answer 410 for each call of a publisher, in a run that has them, and for
how long."""

BURSTS_PER_CALL = 0.006
FIRST_BURST = (5.0, 40.0)
"""Bursts for each call of a publisher, and the seconds until a run's first one. In a burst an
endpoint goes down, and its project publishes so much that the connector gets into an outage."""

BURST_CALLS, BURST_EVENTS, BURST_SECONDS = 5, (10, 14), 8.0
"""The calls of a burst, their events, and how long it lasts: three attempts of each event in a
minute are more than the hundred that make an outage."""

TRICKLE_CALLS, TRICKLE_EVENTS, TRICKLE_SECONDS = (0, 12), (1, 3), 600.0
"""What the project publishes until some time after a burst, so that events of any age are held."""

DOWN = {
    "minutes": (90.0, 900.0),
    "hours": (3600.0, 4 * 3600.0),
    "half a day": (13 * 3600.0, 15 * 3600.0),
}
DOWN_SHARES = (0.7, 0.26, 0.04)
RELAPSES = (0, 0, 0, 1, 4)
"""For how long an endpoint is down after a burst, the share of each kind, and how often it goes
down again after it has worked for moments."""

DEAD_SHARE = 0.3
"""The share of runs whose first burst goes to the endpoint that is down until events expire."""

SERVICES = ("sqs", "dynamodb", "kms")
"""Services that have an outage twice as often as Lambda's control plane."""

OUTAGE_CALLS = (3, 40)
"""How long an outage lasts, in calls of publishers, so that it affects some of them and not a whole
run."""

THROTTLED_SECONDS = (300.0, 3600.0)
"""How long the account has no concurrency left for the sender. Meanwhile each receive is one
without an attempt, so the count of receives no longer says how many attempts there were."""

TRIES = 3
TRIES_AGAIN_SHARE = 0.8
"""How often a publisher tries, and the share of those who try again after a failure."""

DEVICES = 5

TYPES = {
    "temperature": "value",
    "co2": "ppm",
    "pressure": "pascal",
    "touchCount": "total",
    "objectPresentCount": "total",
}
"""Event types, and the field of each that has an event's number."""

FOREIGN_MESSAGES = (
    "no JSON",
    "{}",
    "[" * 2000,
    '{"v":99,"connector":"projects/p/dataconnectors/c","body":"{}"}',
    Message("projects/p/dataconnectors/none", 1, "e", 1, "{}").to_text(),
)


@dataclass(frozen=True)
class Project:
    """A project and its publisher's credentials."""

    id: str
    headers: dict[str, str]


class Publishers:
    """The publishers of all projects."""

    def __init__(self, world: "World") -> None:
        self.published = 0
        self._world = world
        self._rng, self._scheduler = world.rng, world.scheduler
        self._plan, self._ledger = world.plan, world.ledger
        self._pause = 1.0
        self._calls_left = 0

    def publish_next(self) -> None:
        if self.published >= self._world.scenario.events:
            return
        if not self._calls_left:
            self._pause = self._rng.choice(PAUSES)
            self._calls_left = self._rng.randint(*PHASE_CALLS)
        self._calls_left -= 1
        self._scheduler.after(self._rng.expovariate(1 / self._pause), self.publish_next)
        project = self._rng.choice(self._world.projects)
        if self._rng.random() < EMULATED_SHARE:
            self._publish_emulated(project)
        else:
            self._publish_list(project)
        self._disturb()

    def _disturb(self) -> None:
        """Let other things happen, in proportion to the calls of publishers."""
        rng, intensity = self._rng, self._plan.intensity
        if rng.random() < CHANGES_PER_CALL * intensity:
            self._scheduler.after(
                rng.uniform(0, 5), partial(self._scheduler.spawn, self._world.customers.change)
            )
        if rng.random() < OUTAGES_PER_CALL * intensity:
            service = rng.choice((*SERVICES, *SERVICES, "lambda", "concurrency"))
            seconds = self._pause * rng.uniform(*OUTAGE_CALLS)
            if service == "concurrency":
                seconds = rng.uniform(*THROTTLED_SECONDS)
            self._plan.begin_outage(service, self._scheduler.now + seconds)
        if rng.random() < BURSTS_PER_CALL * intensity:
            self.burst()
        if self._world.scenario.gone and rng.random() < GONE_PER_CALL * intensity:
            self._world.customers.abandon(rng.uniform(*GONE_SECONDS))
        if self._plan.roll("message in another format", FOREIGN_MESSAGES_PER_CALL):
            self._ledger.process = None
            _, *queues = self._world.sqs.queues.values()  # the first is the dead-letter queue
            rng.choice(queues).put(rng.choice(FOREIGN_MESSAGES))

    def burst(self, dead: Account | None = None) -> None:
        """Let the endpoint of a connector fail, and publish to it in a hurry.

        `dead` is a connector whose endpoint is down for half a day already.
        """
        rng = self._rng
        project = rng.choice(self._world.projects)
        account = self._world.customers.an_active_account(project)
        if dead is not None and rng.random() < DEAD_SHARE:
            self._plan.count("outage of half a day")
            (project,) = (entry for entry in self._world.projects if entry.id == dead.project)
            self._hurry(project, dead.settings[-1])
        elif account is not None:
            self._fail(account.settings[-1])
            self._hurry(project, account.settings[-1])

    def _fail(self, setting: Setting) -> None:
        """Let the endpoint of a connector be down."""
        rng = self._rng
        kind, (low, high) = rng.choices(list(DOWN.items()), DOWN_SHARES)[0]
        relapses = rng.choice(RELAPSES)
        self._world.fail_endpoint(setting.url, rng.uniform(low, high), relapses)
        self._plan.count(f"outage of {kind}")
        if relapses:
            self._plan.count("outage with relapses")

    def _hurry(self, project: Project, setting: Setting) -> None:
        """Publish so much to a connector that its failures make an outage."""
        rng, scheduler = self._rng, self._scheduler
        self._plan.count("outage")
        types = sorted(setting.types) or list(TYPES)
        for _ in range(BURST_CALLS):
            publish = partial(self._publish_list, project, rng.randint(*BURST_EVENTS), types)
            scheduler.after(rng.uniform(0, BURST_SECONDS), publish)
        for _ in range(rng.randint(*TRICKLE_CALLS)):
            publish = partial(self._publish_list, project, rng.randint(*TRICKLE_EVENTS), types)
            scheduler.after(rng.uniform(0, TRICKLE_SECONDS), publish)

    def _number(self, project: str) -> int:
        self.published += 1
        number = self._ledger.next_number.get(project, 0)
        self._ledger.next_number[project] = number + 1
        return number

    def _publish_list(
        self, project: Project, count: int = 0, types_of: Sequence[str] = tuple(TYPES)
    ) -> None:
        """Publish so many events of these types, or some events."""
        if not count:
            count = self._rng.randint(*self._rng.choices(CALL_SIZES, CALL_SHARES)[0])
        stamp = times.to_text(self._world.epoch())
        envelopes, numbers, types = [], [], []
        for _ in range(count):
            number, event_type = self._number(project.id), self._rng.choice(types_of)
            data = {TYPES[event_type]: number, "updateTime": stamp}
            envelopes.append(
                {
                    "eventId": f"e{number}",
                    "targetName": f"projects/{project.id}/devices/emu{number % DEVICES}",
                    "eventType": event_type,
                    "data": {event_type: data},
                    "timestamp": stamp,
                }
            )
            numbers.append(number)
            types.append(event_type)
        direct = self._rng.random() < DIRECT_SHARE
        publish = partial(self._call_ingest, project, envelopes, numbers, types, direct, 1)
        self._scheduler.spawn(publish)

    def _publish_emulated(self, project: Project) -> None:
        number, event_type = self._number(project.id), self._rng.choice(list(TYPES))
        path = f"/v2/projects/{project.id}/devices/emu{number % DEVICES}:publish"
        event = request(
            "POST", path, {event_type: {TYPES[event_type]: number}}, headers=project.headers
        )

        def publish() -> None:
            call = Call(project.id, [number], [event_type], self._ledger.tick)
            with contextlib.suppress(KilledError):
                answer = self._world.invoke(self._world.environment("ingest"), event, call)
                if answer["statusCode"] == 200 and not self._answer_is_lost():
                    self._ledger.confirmed(call, [number])

        self._scheduler.spawn(publish)

    def _call_ingest(
        self,
        project: Project,
        envelopes: list[dict[str, Any]],
        numbers: list[int],
        types: list[str],
        direct: bool,
        attempt: int,
    ) -> None:
        """Make a publisher's call, and repeat the events that were not accepted."""
        call = Call(project.id, numbers, types, self._ledger.tick)
        content: Any = {"events": envelopes}
        accepted: set[int] = set()
        try:
            process = self._world.environment("ingest")
            if direct:
                answer = self._world.invoke(process, {"project": project.id, **content}, call)
            else:
                path = f"/v2/projects/{project.id}/events"
                answered = self._world.invoke(
                    process, request("POST", path, content, headers=project.headers), call
                )
                answer = json.loads(answered["body"])
                if answered["statusCode"] not in (200, 503):
                    self._ledger.violated(f"ingest answered {answered}")
            if "errors" in answer and not self._answer_is_lost():
                refused = {entry["index"] for entry in answer["errors"]}
                accepted = set(range(len(numbers))) - refused
                if len(accepted) != answer["accepted"]:
                    self._ledger.violated(
                        f"ingest accepted {answer['accepted']} and names {refused}"
                    )
                self._ledger.confirmed(call, [numbers[index] for index in sorted(accepted)])
        except KilledError:
            pass
        except Exception as error:  # noqa: BLE001  # Lambda invokes it again, a gateway answers 500
            if not direct:
                self._ledger.violated(f"ingest raised {error!r}")
        left = [index for index in range(len(numbers)) if index not in accepted]
        if left and attempt < 3 and self._rng.random() < 0.8:
            again = partial(
                self._call_ingest,
                project,
                [envelopes[index] for index in left],
                [numbers[index] for index in left],
                [types[index] for index in left],
                direct,
                attempt + 1,
            )
            self._scheduler.after(self._rng.uniform(1, 20), partial(self._scheduler.spawn, again))

    def _answer_is_lost(self) -> bool:
        return self._plan.roll("ingest's answer is lost", 0.005)
