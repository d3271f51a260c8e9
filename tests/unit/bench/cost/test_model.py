"""Bills computed by hand, and what has to hold of every bill."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cost import prices, rivals
from bench.cost.measured import Cpu
from bench.cost.model import (
    ACCEPT,
    DELIVER,
    KEEP,
    MONTH,
    PARTS,
    TEMPLATE,
    Load,
    bill,
    idle_connector,
    sending,
    stack,
)

CPU = Cpu(ingest_request=4.0, ingest_event=2.0, sender_event=1.0, source="a test")
MILLION_A_MONTH = 1e6 / MONTH

loads = st.builds(
    Load,
    rate=st.floats(1e-3, 1e4),
    latency=st.floats(0, 10),
    connectors=st.integers(1, 10_000),
    bytes=st.integers(1, 32 * 1024),
    publish=st.integers(1, 100),
    fill=st.one_of(st.just(0.0), st.floats(1, 10)),
    failures=st.floats(0, 0.9),
    history=st.booleans(),
    attempt_log=st.sampled_from(["all", "sampled", "failures", "off"]),
    nat=st.booleans(),
)


def lines(load: Load) -> dict[str, float]:
    """Dollars of a month, by a line's name."""
    return {line.name: line.dollars for line in bill(load, CPU).lines}


def test_a_million_events_by_hand() -> None:
    found = lines(Load(rate=MILLION_A_MONTH, attempt_log="off"))
    # One call, one batch for each event: 800 bytes are a write unit, 1,500 bytes go out.
    expected = {
        "API requests": 1.00,
        "ingest: requests": 0.20,
        "version and devices": 0.25,
        "SQS: send": 0.40,
        "answers to publishers": 0.036,
        "last values": 0.625,
        "history: write": 0.625,
        "sender: requests": 0.20,
        "SQS: receive": 0.40,
        "SQS: delete": 0.40,
        "connector": 0.125,
        "attempt counts": 0.625,
        "attempts: data out": 0.135,
        # (6 ms * 1,769 / 512 + 3 * 5 ms) * 0.5 GB
        "ingest: time": (0.006 * 1769 / 512 + 0.015) * 0.5 * 13.3334,
        # (100 ms + 2 * 5 ms + 3 ms * 1,769 / 256) * 0.25 GB
        "sender: time": (0.11 + 0.003 * 1769 / 256) * 0.25 * 13.3334,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_a_hundred_events_a_call_and_full_batches_by_hand() -> None:
    found = lines(Load(rate=MILLION_A_MONTH, publish=100, fill=10, bytes=2000, failures=0.5))
    expected = {
        "API requests": 0.01,
        "SQS: send": 0.04,
        "last values": 3 * 0.625,  # 2,150 bytes
        "SQS: receive": 2e5 * 0.4e-6,  # two attempts for each event, ten of them in a batch
        "SQS: delete": 2e5 * 0.4e-6 * (1 - 0.5**10),
        "SQS: back-off": 2e5 * 0.4e-6 * (1 - 0.5**10),
        "attempts: data out": 2 * 2.9 * 0.09,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_an_idle_connector_by_hand() -> None:
    receives = 15 * 60 * 730 * 0.4e-6
    assert idle_connector().dollars == pytest.approx(receives + 4 * 730 / 1e5, rel=1e-6)
    assert idle_connector().dollars == pytest.approx(0.29, abs=0.005)


def test_sns_and_eventbridge_by_hand() -> None:
    load = Load(bytes=100)
    assert rivals.bill(rivals.SNS, load).per_million() == pytest.approx(1.10 + 0.09)
    assert rivals.bill(rivals.BUS, load).per_million() == pytest.approx(1.20 + 0.09)
    larger = load._replace(bytes=70_000)  # two chunks
    assert rivals.bill(rivals.SNS, larger).per_million() == pytest.approx(2.20 + 70.9 * 0.09)


def test_batches_are_what_comes_while_five_pollers_are_busy() -> None:
    made = sending(Load(), CPU)
    cycle = made.seconds + 0.02  # and the time in which the next one is received
    assert made.fill == pytest.approx(100 * cycle / 5)
    assert sending(Load(rate=1), CPU).fill == 1
    assert sending(Load(rate=10_000), CPU).fill == 10


def test_pollers_that_deliver_make_no_empty_receives_by_hand() -> None:
    # Batches of 10 take 1 s each, and each of 5 pollers gets one in 2 s: half of the time is left.
    load = Load(rate=25, fill=10, attempt_log="off")
    busy = sending(load, CPU).seconds
    load = load._replace(latency=load.latency + 1 - busy)
    receives, waits = 5 / 20, 0.5 * 20  # a second; batches of a poller in one long poll
    made = sending(load, CPU)
    assert made.seconds == pytest.approx(1)
    assert made.empty_receives == pytest.approx(receives * waits / math.expm1(waits) * 0.5)


def test_memory_and_alarms_are_those_of_the_template() -> None:
    assert stack() == (256, 512, stack().reconciler, 15)


@settings(max_examples=100, deadline=None)
@given(loads)
def test_no_line_is_negative_and_the_parts_are_the_whole(load: Load) -> None:
    found = bill(load, CPU)
    assert all(line.quantity > 0 and line.price.dollars > 0 for line in found.lines)
    assert len({(line.part, line.name) for line in found.lines}) == len(found.lines)
    assert sum(map(found.per_million, PARTS)) == pytest.approx(found.per_million())
    assert 1 <= sending(load, CPU).fill <= 10


@settings(max_examples=100, deadline=None)
@given(loads, st.floats(1, 100))
def test_a_higher_rate_never_lowers_the_bill(load: Load, factor: float) -> None:
    more = load._replace(rate=load.rate * factor)
    assert bill(more, CPU).dollars >= bill(load, CPU).dollars * (1 - 1e-9)


@pytest.mark.parametrize(
    ("field", "strategy"),
    [
        ("latency", st.floats(0, 10)),
        ("connectors", st.integers(1, 10_000)),
        ("bytes", st.integers(1, 32 * 1024)),
        ("failures", st.floats(0, 0.9)),
        ("history", st.booleans()),
        ("attempt_log", st.sampled_from(["all", "failures", "off"])),
        ("nat", st.booleans()),
    ],
)
@settings(max_examples=40, deadline=None)
@given(load=loads, data=st.data())
def test_more_of_anything_never_lowers_the_bill(
    load: Load, data: Any, field: str, strategy: st.SearchStrategy[Any]
) -> None:
    """At the same fill: slower answers alone make batches fuller, which may cost less."""
    order = ["off", "failures", "all"].index if field == "attempt_log" else None
    less, more = sorted(data.draw(st.tuples(strategy, strategy)), key=order)
    load = load._replace(fill=load.fill or 3.0)
    smaller, larger = (bill(load._replace(**{field: each}), CPU) for each in (less, more))
    assert larger.dollars >= smaller.dollars * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(loads, st.floats(1, 10), st.floats(1, 10))
def test_fuller_batches_never_cost_more(load: Load, one: float, other: float) -> None:
    less, more = sorted((one, other))
    load = load._replace(failures=0.0, bytes=min(load.bytes, 6000))  # ten are one request of SQS
    fuller, emptier = (bill(load._replace(fill=fill), CPU) for fill in (more, less))
    assert fuller.per_million(DELIVER) <= emptier.per_million(DELIVER) * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(loads)
def test_each_part_depends_only_on_what_it_is_about(load: Load) -> None:
    """Otherwise a quantity of one unit would stand in the place of another."""
    twice = load._replace(latency=load.latency + 1, fill=load.fill or 2.0, nat=not load.nat)
    same = load._replace(fill=load.fill or 2.0)
    before, after = bill(same, CPU), bill(twice, CPU)
    assert after.per_million(ACCEPT) == pytest.approx(before.per_million(ACCEPT))
    history = [line for line in before.lines if line.part == KEEP and "history" in line.name]
    assert bool(history) == load.history


def test_each_line_has_the_unit_of_its_name() -> None:
    units = {
        "requests": "request",
        "time": "GB-second",
        "write": "write unit",
        "storage": "GB-month",
        "recovery": "GB-month",
        "receive": "request",
        "send": "request",
        "data out": "GB",
    }
    load = Load(failures=0.5, attempt_log="all", nat=True)
    for line in bill(load, CPU).lines:
        for ending, unit in units.items():
            if line.name.endswith(ending):
                assert line.price.unit == unit, line


def test_every_price_says_for_what_and_from_where() -> None:
    table = [each for each in vars(prices).values() if isinstance(each, prices.Price)]
    assert len(table) > 20
    for price in table:
        assert price.dollars > 0
        assert price.unit
        assert price.source in (prices.LIST, prices.PAGE)


def test_the_dashboard_has_the_same_prices() -> None:
    body = TEMPLATE.read_text()
    for text, price in (
        ("*0.0000133334+", prices.LAMBDA_GB_SECOND.dollars),
        ("s2*0.0000002", prices.LAMBDA_REQUEST.dollars),
        ("a*0.000001", prices.API_REQUEST.dollars),
        ("w*0.000000625", prices.WRITE_UNIT.dollars),
        ("r*0.000000125", prices.READ_UNIT.dollars),
        ("/1000000000*0.5", prices.LOG_INGESTED.dollars),
    ):
        assert text in body
        assert float(text.strip("+").rpartition("*")[2]) == pytest.approx(price)
