"""The model of very many connectors: closed forms, the whole handlers beside it, and thinning."""

import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.endpoints.outcomes import Outcome
from tests.outages import outage
from tests.outages.outage import share
from tests.outages.ramp import Ramp
from tests.scale import control_plane, picture, scenarios, table
from tests.scale.account import NO_TIME, Account, Line, Times, idle_polls
from tests.scale.endpoints import Endpoint, Failing, Flapping, Working
from tests.scale.scenarios import HEALTHY, SCENARIOS, Kind, Phase, Scenario

SECONDS = 0.2
ANSWER = (SECONDS, SECONDS)


def an_account(maximum: int = 50, batch: int = 10, **options: float) -> Account:
    """An account in which only endpoints and waits take time."""
    options = {"concurrency": 1000, **options}
    return Account(maximum_concurrency=maximum, batch=batch, times=NO_TIME, **options)  # type: ignore[arg-type]


class Recorded:
    """An endpoint that notes when attempts begin."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.moments: list[float] = []
        self._endpoint = endpoint

    def answer(self, now: float, rng: random.Random) -> Outcome:
        self.moments.append(now)
        return self._endpoint.answer(now, rng)


def publish_each(account: Account, line: Line, seconds: float, events: int) -> None:
    for event in range(events):
        account.engine.at(event * seconds, partial(account.publish, line))


def test_one_server_with_deterministic_times() -> None:
    """One event each 0.1 s, and each takes 0.2 s: the next one waits for 0.1 s longer."""
    account = an_account(maximum=1, batch=1)
    publish_each(account, account.connect(HEALTHY, Working(ANSWER)), 0.1, 50)
    account.engine.run(20)
    waits = list(account.groups[HEALTHY].latencies)
    assert waits == pytest.approx([0.1 * event for event in range(50)])
    assert account.groups[HEALTHY].last_delivered == pytest.approx(50 * SECONDS)
    assert account.usage.invocations == 50
    assert account.busy_seconds() == pytest.approx(50 * SECONDS)


def test_littles_law() -> None:
    """Ten events a second that take 0.2 s each are two at a time."""
    account = an_account()
    publish_each(account, account.connect(HEALTHY, Working(ANSWER)), 0.1, 100)
    account.engine.run(5)
    busy = account.busy_seconds()
    account.engine.run(9)
    assert (account.busy_seconds() - busy) / 4 == pytest.approx(10 * SECONDS)
    account.engine.run(20)
    assert account.busy_seconds() == pytest.approx(100 * SECONDS)
    assert account.usage.gb_seconds == pytest.approx(100 * SECONDS * 0.25)


def test_a_burst_at_a_fixed_concurrency() -> None:
    account = an_account(maximum=5)
    account.burst(account.connect("burst", Working(ANSWER)), 1000)
    account.engine.run(20)
    group = account.groups["burst"]
    assert group.last_delivered == pytest.approx(1000 / (5 * 10) * SECONDS)
    assert (group.waiting, group.in_flight, account.peak) == (0, 50, 5)
    assert account.usage.sqs == 3 * 100  # sent, received and deleted by ten


def test_a_burst_while_processes_are_added() -> None:
    """100 events a second and process: 500 in the first second, and then 5 processes more in each:
    100 (5 x + 5 x^2 / 2) = 1,500 after x = 1.65 s. Processes are whole, and so are batches."""
    account = an_account()
    account.burst(account.connect("burst", Working((0.1, 0.1))), 2000)
    account.engine.run(60)
    assert account.groups["burst"].last_delivered == pytest.approx(2.65, abs=0.3)


def test_lambda_begins_with_five_processes_and_adds_300_a_minute() -> None:
    ramp = Ramp(1000)
    assert ramp.processes == 5
    ramp.left(1.0)
    assert ramp.processes == 5
    for second in range(2, 62):
        ramp.left(float(second))
    assert ramp.processes == 305
    ramp.emptied(62.0)
    ramp.left(62.5)
    assert ramp.processes == 305
    ramp.left(1000.0)
    assert ramp.processes == 1000
    ramp.emptied(1061.0)
    assert ramp.processes == 5
    assert Ramp(2).processes == 2


def test_the_series_of_the_back_off_until_the_event_expires() -> None:
    account = an_account()
    endpoint = Recorded(Failing(hangs=False, error=0.0))
    account.publish(account.connect("dead", endpoint))
    account.engine.run(43_200)
    waits = [after - before for before, after in pairwise(endpoint.moments)]
    assert waits == [min(8 * 2**attempt, 3600) for attempt in range(19)]
    assert (account.groups["dead"].expired, account.groups["dead"].waiting) == (1, 0)


def test_a_throttled_batch_is_tried_again_after_doubled_waits() -> None:
    account = an_account(concurrency=1)
    endpoints = [Recorded(Working((1.0, 1.0))) for _ in range(2)]
    for endpoint in endpoints:
        account.publish(account.connect(HEALTHY, endpoint))
    account.engine.run(5)
    assert [endpoint.moments for endpoint in endpoints] == [[0.0], [pytest.approx(1.4)]]
    assert account.throttled == 3


def test_lambda_starts_1000_environments_in_ten_seconds() -> None:
    """Here one: waits of 0.2, 0.4, 0.8, 1.6, 3, 3 and 3 s lead to the first try after ten."""
    account = an_account(thinning=1000, concurrency=10_000)
    endpoints = [Recorded(Working((60.0, 60.0))) for _ in range(2)]
    for endpoint in endpoints:
        account.publish(account.connect(HEALTHY, endpoint))
    account.engine.run(50)
    assert [endpoint.moments for endpoint in endpoints] == [[0.0], [pytest.approx(12.0)]]
    assert account.cold_starts == 2


def test_a_publisher_that_is_refused_tries_again() -> None:
    account = Account(concurrency=1, times=NO_TIME._replace(ingest=0.5))
    line = account.connect(HEALTHY, Working(ANSWER))
    publish_each(account, line, 0.0, 2)
    account.engine.run(5)
    assert account.refused >= 1
    assert account.groups[HEALTHY].delivered == 2


def test_a_flapping_endpoint_fails_for_a_minute_in_five() -> None:
    endpoint, rng = Flapping(0.5), random.Random(1)
    down = [second for second in range(300) if hasattr(endpoint.answer(float(second), rng), "kind")]
    assert down == list(range(150, 210))


def test_idle_mappings_poll_three_times_a_minute_with_five_processes() -> None:
    assert idle_polls(1, 30 * 86_400) == 648_000


def test_the_model_finds_what_the_whole_handlers_find() -> None:
    """`tests.outages` runs the handler itself, with boto's calls and DynamoDB's expressions."""
    whole = outage.run(outage.Case(10, 60, hangs=False, holds=True))
    same = Times(overhead=0.005, event=0.0, ingest=0.0)
    account = Account(times=same, log_mode=LogMode.OFF)
    line = account.connect("down", Failing(60, 120, hangs=False))
    while account.engine.now < 120:
        account.engine.run(account.engine.now + account.rng.expovariate(10))
        account.publish(line)
        if account.engine.now < 60:
            before, busy = account.usage - type(account.usage)(), account.busy_seconds()
    used, group = account.usage - before, account.groups["down"]
    assert (account.busy_seconds() - busy) / 60 == pytest.approx(whole.concurrency, rel=0.15)
    assert used.invocations == pytest.approx(whole.outage.invocations, rel=0.1)
    assert used.gb_seconds == pytest.approx(whole.outage.gb_seconds, rel=0.15)
    assert used.read_units == pytest.approx(whole.outage.read_units, rel=0.1)
    assert used.write_units == pytest.approx(whole.outage.write_units, rel=0.2)
    assert used.log_bytes == pytest.approx(whole.outage.log_bytes, rel=0.15)
    assert used.sqs - group.waiting == pytest.approx(whole.outage.sqs, rel=0.1)  # without sending
    assert group.failed == pytest.approx(whole.failed, rel=0.1)
    (noticed,) = account.noticed.values()
    assert noticed - 60 == pytest.approx(whole.noticed, rel=0.2)
    account.engine.run(400)
    assert group.last_delivered - 120 == pytest.approx(whole.recovered[2], rel=0.3)
    assert group.waiting == 0


def small(concurrency: int, seed: int, thinning: int = 1) -> Scenario:
    return Scenario(
        "some hang",
        (Kind("dead", 16, 1.0, lambda _: Failing(5.0)), Kind(HEALTHY, 32, 1.0)),
        (Phase("", 5.0, 45.0),),
        concurrency=concurrency,
        seed=seed,
        thinning=thinning,
    )


@pytest.mark.parametrize(("concurrency", "rel"), [(1000, 0.08), (80, 0.2)])
def test_a_thinned_account_is_like_the_whole_one(concurrency: int, rel: float) -> None:
    """Quite so when there is concurrency left, and roughly when endpoints that hang take all of it:
    then little decides who waits."""
    (whole,) = scenarios.run(small(concurrency, 1)).found
    runs = [scenarios.run(small(concurrency, seed, 4)).found[0] for seed in range(4)]
    assert bool(whole.refused) == (concurrency == 80)

    def mean(name: str) -> float:
        return float(sum(getattr(each, name) for each in runs) / len(runs))

    for name in ("mean", "delivered", "dollars"):
        assert mean(name) == pytest.approx(getattr(whole, name), rel=rel), name
    # Peaks are a little higher: what few do at once counts four times.
    assert 0.95 * whole.peak < mean("peak") < 1.25 * whole.peak
    medians = sorted(share(each.latencies, 0.5) for each in runs)
    assert medians[0] * (1 - rel) <= share(whole.latencies, 0.5) <= medians[-1] * (1 + rel)


def test_a_run_is_the_same_for_the_same_seed() -> None:
    scenario = small(80, 2, thinning=16)
    assert scenarios.run(scenario).found == scenarios.run(scenario).found


@pytest.mark.parametrize(
    ("connectors", "keys", "seconds"),
    [(10, 1, 2.0), (1000, 1, 200.0), (1000, 3, 1000 / 15), (100_000, 50, 100_000 / 15)],
)
def test_callers_create_as_fast_as_keys_and_lambda_allow(
    connectors: int, keys: int, seconds: float
) -> None:
    assert control_plane.created_by_callers(connectors, keys) == pytest.approx(seconds)


def test_the_reconciler_makes_them_by_the_minute_and_in_proportion() -> None:
    """Four calls for each connector. A run has 40 s for calls, which are 0.2 s apart at least."""
    few, calls = control_plane.made_by_reconciler(10)
    assert (calls, few < 20) == (40, True)
    some, calls = control_plane.made_by_reconciler(100)
    more, calls_of_more = control_plane.made_by_reconciler(300)
    assert (calls, calls_of_more) == (400, 1200)
    assert more == pytest.approx(3 * some, rel=0.15)
    assert control_plane.listed_in(100_000) == 220


def test_the_control_planes_table_says_when_a_drift_check_does_not_fit() -> None:
    assert control_plane.row(10).startswith("| 10 | 2 s | 1 s | ")
    assert control_plane.row(10).count("|") == control_plane.HEADER.splitlines()[0].count("|")
    assert "more than a run has" in control_plane.row(100_000)


def test_every_scenario_can_be_thinned_as_it_says() -> None:
    for scenario in SCENARIOS:
        assert all(kind.connectors % scenario.thinning == 0 for kind in scenario.kinds)


def test_a_result_has_a_row_for_each_phase() -> None:
    result = scenarios.run(
        Scenario(
            "burst",
            (Kind("burst", 1, 1e-9), Kind(HEALTHY, 2, 1.0)),
            (Phase("one", 1.0, 3.0), Phase("two", 3.0, 5.0)),
            burst=100,
            over=1.0,
        )
    )
    rows = table.rows(result)
    assert [row.count("|") for row in rows] == [table.HEADER.splitlines()[0].count("|")] * 2
    assert rows[0].startswith("| burst | 1,000 | one | 0.")
    assert rows[1].startswith("|  |  | two | ")
    assert rows[1].endswith(" s |")
    assert result.drained is not None
    assert 0 < result.drained < 2


def test_every_line_of_the_picture_is_a_scenarios() -> None:
    there = {(scenario.name, scenario.concurrency) for scenario in SCENARIOS}
    assert picture.CURVES.keys() <= there


def test_the_picture_has_a_line_for_each_result_and_the_one_in_the_docs_has_all() -> None:
    (name, concurrency), shown = next(iter(picture.CURVES.items()))
    result = scenarios.run(
        Scenario(
            name,
            (Kind(HEALTHY, 2, 1.0),),
            (Phase("", 1.0, 11.0),),
            concurrency=concurrency,
        )
    )
    found = picture.curve(result)
    assert found is not None
    assert found[0] == shown
    assert found[1] == sorted(found[1])
    assert picture.curve(replace(result, scenario=replace(result.scenario, name="other"))) is None
    for text, kinds in (
        (picture.draw([found]), {shown.kind}),
        (picture.PICTURE.read_text(), {each.kind for each in picture.CURVES.values()}),
    ):
        root = ET.fromstring(text)
        lines = [element.get("class", "") for element in root.iter()]
        assert {each.removeprefix("line ") for each in lines if "line " in each} == kinds
        assert "prefers-color-scheme: dark" in text
