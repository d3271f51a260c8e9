"""Many connectors of one account, of which some hang: what their neighbours notice."""

from array import array
from dataclasses import dataclass
from functools import partial

from tests.outages.account import MAXIMUM_CONCURRENCY, Account, Endpoint, Line
from tests.outages.outage import BEFORE, share
from tests.outages.table import span

INGEST_SECONDS = 0.06
"""Seconds of ingest for one event. Its handler is not run: only its concurrency matters here."""

REFUSED_SECONDS = 1.0
"""Seconds after which a publisher that was refused tries again."""

WARM_UP = 15.0
"""Seconds at the beginning of a window that do not count. The healthy connectors publish in windows
only, because their events cost most of a run's time; their environments must be warm by then."""


@dataclass(frozen=True)
class Setting:
    """An account of `concurrency`. `hanging` of the connectors time out for `minutes`. Rates are
    in events a second and connector."""

    concurrency: int
    connectors: int
    hanging: int
    holds: bool
    minutes: float
    maximum_concurrency: int = MAXIMUM_CONCURRENCY
    hanging_rate: float = 1.0
    healthy_rate: float = 0.15
    seed: int = 1

    @property
    def windows(self) -> list[tuple[float, float]]:
        """When the healthy connectors publish: around the time at which an outage is noticed, when
        most attempts wait; halfway; and at the end. In a short run, from the first time on."""
        seconds = self.minutes * 60
        half = seconds / 2
        spans = [(45.0, 130.0), (half, half + 45.0), (seconds - 45.0, seconds)]
        if half < 130.0:
            spans = [(45.0, seconds)]
        return [(BEFORE + begin, BEFORE + end) for begin, end in spans]


@dataclass(frozen=True)
class Finding:
    """`latencies` are the seconds from publishing to the POST of each event of the healthy
    connectors, in order. `refused` are calls of publishers that found no concurrency, `throttled`
    the same for batches. `noticed` is the number of connectors that are in an outage at the end."""

    setting: Setting
    latencies: "array[float]"
    peak: int
    concurrency: float
    refused: int
    throttled: int
    noticed: int
    unsent: int

    @property
    def is_good(self) -> bool:
        """Whether the neighbours notice nothing."""
        return share(self.latencies, 0.99) < 1.0 and not self.refused and not self.unsent

    @property
    def is_missed(self) -> bool:
        """Whether the neighbours notice what they must not: with the outage mode, in an account of
        the default size or a larger one."""
        return self.setting.holds and self.setting.concurrency >= DEFAULT and not self.is_good

    def line(self) -> str:
        """The finding as a row of `HEADER`'s table."""
        setting = self.setting
        figures = (share(self.latencies, part) for part in (0.5, 0.99, 1.0))
        hang = f"{setting.hanging} hang for {span(setting.minutes * 60)}"
        return " | ".join(
            (
                f"| {setting.concurrency:,}",
                f"{setting.connectors:,}, {hang}",
                f"{setting.hanging_rate:g}",
                f"{setting.maximum_concurrency}",
                "outage mode" if setting.holds else "plain clock",
                f"{self.concurrency:.0f}, {self.peak}",
                *(f"{seconds:.2f} s" for seconds in figures),
                f"{self.unsent}",
                f"{self.throttled:,}",
                f"{self.refused:,} |",
            )
        )


HEADER = (
    "| account | connectors | events/s of each that hangs | MaximumConcurrency | | "
    "concurrency, mean and peak | p50 | p99 | max | unsent | throttled batches | "
    "refused publishers |\n" + "|---" * 12 + "|"
)

DEFAULT = 1000
"""Concurrent executions of an account, unless AWS has given it more, or less while it is new."""

SETTINGS = [
    Setting(concurrency, connectors, hanging, holds, minutes, maximum_concurrency, rate)
    for concurrency, connectors, hanging, minutes, rate, maximum_concurrency, modes in (
        (1000, 1000, 20, 10, 1.0, 50, (False, True)),
        (1000, 500, 10, 120, 1.0, 50, (True,)),
        (1000, 500, 20, 1.5, 20.0, 50, (True,)),
        (1000, 500, 20, 1.5, 20.0, 20, (True,)),
        (10, 50, 1, 10, 1.0, 50, (False, True)),
        (10, 50, 1, 10, 1.0, 2, (True,)),
    )
    for holds in modes
]
"""What `--neighbours` runs: the table of docs/operations.md. Two of a hundred connectors hang, or
four of a hundred that get many events."""


def run(setting: Setting) -> Finding:
    """Run a setting. The same setting gives the same finding."""
    return Run(setting).run()


class Run:
    """One run of a setting."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._account = Account(setting.seed, holds=setting.holds, concurrency=setting.concurrency)
        self._end = BEFORE + setting.minutes * 60
        self._published = array("d")
        self._counts = bytearray()
        self._latencies = array("d")

    def run(self) -> Finding:
        """Let some connectors hang until the end."""
        account, setting = self._account, self._setting
        with account.open():
            for number in range(setting.connectors):
                if number < setting.hanging:
                    endpoint = Endpoint(lambda *_: None, down_from=BEFORE)
                    self._later(account.connect(endpoint, setting.maximum_concurrency), 0.0)
                else:
                    endpoint = Endpoint(self._posted)
                    line = account.connect(endpoint, setting.maximum_concurrency)
                    for begin, end in setting.windows:
                        account.scheduler.at(begin - WARM_UP, partial(self._later, line, end))
            account.scheduler.run(lambda: account.scheduler.now >= self._end)
            seconds = account.scheduler.now
            return Finding(
                setting,
                array("d", sorted(self._latencies)),
                account.peak,
                account.busy_seconds() / seconds,
                account.throttled["ingest"],
                account.throttled["sender"],
                len(account.noticed),
                sum(self._counts),
            )

    def _later(self, line: Line, until: float) -> None:
        """Publish after a random time; `until` is 0 for a connector that hangs."""
        rate = self._setting.healthy_rate if until else self._setting.hanging_rate
        after = self._account.rng.expovariate(rate)
        if until and self._account.scheduler.now + after >= until:
            return
        self._account.scheduler.after(after, partial(self._publish, line, until))

    def _publish(self, line: Line, until: float) -> None:
        now = self._account.scheduler.now
        self._published.append(now)
        begins = (begin for begin, end in self._setting.windows if end == until)
        # Whether its latency counts and it is not sent yet. What is published in the last seconds
        # could not be sent by the end.
        counts = until > 0 and now >= next(begins) and now < self._end - 5.0
        self._counts.append(counts)
        self._try(line, len(self._published) - 1)
        self._later(line, until)

    def _try(self, line: Line, event: int) -> None:
        account = self._account
        if account.begin("ingest"):
            account.scheduler.after(INGEST_SECONDS, partial(self._accepted, line, event))
        else:
            account.scheduler.after(REFUSED_SECONDS, partial(self._try, line, event))

    def _accepted(self, line: Line, event: int) -> None:
        self._account.end()
        self._account.publish(line, event)

    def _posted(self, event: int, start: float, _end: float, _acknowledged: bool) -> None:
        if self._counts[event]:
            self._counts[event] = False
            self._latencies.append(start - self._published[event])
