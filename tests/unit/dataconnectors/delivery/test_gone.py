"""What an answer of 410 Gone does to its connector."""

from dataclasses import replace

import pytest

from tests.support.sender_bench import CONNECTOR, NAME, UNREACHED, SenderBench, received


@pytest.fixture
def disabling() -> SenderBench:
    """A sender of a stack in which 410 disables."""
    return SenderBench(disables_gone=True)


def test_a_connector_whose_endpoint_is_gone_is_disabled_once_and_sends_nothing_more(
    disabling: SenderBench,
) -> None:
    disabling.answers = {"b": 410, "c": 410}
    assert disabling.send(*map(received, "abc")) == {"b", "c"}
    assert disabling.disabled == [CONNECTOR]
    assert disabling.sqs.visibility == {"b": 8, "c": 8}
    assert disabling.lines("connector.system_disabled") == [
        {"connector": NAME, "reason": "the endpoint answered 410 Gone"}
    ]
    disabling.posted.clear()
    # The events come again and are dropped: they were accepted in an epoch that is over.
    assert disabling.send(*map(received, "bc")) == set()
    assert disabling.posted == []


def test_410_is_like_any_failure_unless_the_deployer_wants_more(bench: SenderBench) -> None:
    bench.answers = {"a": 410}
    assert bench.send(received("a")) == {"a"}
    assert (bench.disabled, bench.connectors[NAME]) == ([], CONNECTOR)


@pytest.mark.parametrize("status", [200, 404, 409, 411, 500, 503])
def test_no_other_status_disables(disabling: SenderBench, status: int) -> None:
    disabling.answers = {"a": status}
    disabling.send(received("a"))
    assert disabling.disabled == []


def test_a_change_of_the_customers_wins(disabling: SenderBench) -> None:
    disabling.answers = {"a": 410}
    repaired = replace(CONNECTOR, version=CONNECTOR.version + 1)

    def repair(_: str) -> None:
        disabling.connectors[NAME] = repaired

    disabling.before_post = repair
    assert disabling.send(received("a")) == {"a"}
    assert (disabling.disabled, disabling.connectors[NAME]) == ([], repaired)
    assert disabling.lines("connector.system_disabled") == []
    # If the new address is gone as well, the next attempt finds that.
    disabling.send(received("a"))
    assert [row.version for row in disabling.disabled] == [repaired.version]


def test_a_database_that_fails_costs_nothing_but_another_attempt(disabling: SenderBench) -> None:
    disabling.answers = {"a": 410}
    disabling.disable_fails = UNREACHED
    assert disabling.send(received("a"), received("b")) == {"a"}
    assert disabling.sqs.visibility == {"a": 8}
    ((line),) = disabling.lines("connector.not_disabled")
    assert (line["connector"], "ReadTimeoutError" in line["error"]) == (NAME, True)
