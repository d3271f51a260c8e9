"""`make smoke` says what is wrong with a stack, and cleans up whatever happens."""

import re
from typing import Any

import pytest

from client.api import Api
from tests.support.smoked_stack import SmokedStack


def test_a_stack_that_works_is_proved_to_and_nothing_is_left(stack: SmokedStack) -> None:
    code, text = stack.smoke()
    assert code == 0, text
    assert not re.search("^no ", text, re.MULTILINE)
    assert "8.5 s and 16.5 s" in text
    assert "median 12 ms" in text
    assert "Sender 312 ms" in text
    assert "smoke: dc works" in text
    assert stack.exists == set()


FAULTS = {
    "stopped": "no            its functions may run: SenderFunction has a reserved concurrency of",
    "open": "no            the API refuses who may not read: nobody 200",
    "forged": "no            API Gateway refuses a forged id token: answered 200",
    "sqs:DeleteQueue": "no            IAM denies what it should: ConfigApiFunctionRole may sqs:Del",
    "alarms": "no            its alarms exist: 1",
    "topic": "no            somebody hears of alarms: topic",
    "queue not ready": "no            the run: POST http",
    "mapping": "no            the connector's mapping is enabled: after 60 s: Creating",
    "nothing arrives": "its state is FAILING, its last error: example.com answered 503",
    "refused": "no            it is signed with the connector's secret: the event is of another",
    "secret": "no            it is signed with the connector's secret: signature: Signature verif",
    "waits": "no            after a 500 it comes again after 8 and 16 s: 4.2 s and 8.2 s",
    "disabled gets events": "no            a disabled connector gets nothing",
    "shown when deleted": "no            a deleted connector is gone: GET answers 200",
    "stays /projects/p/dataconnectors/c": "no            the run: DELETE http",
}


@pytest.mark.parametrize(("fault", "line"), FAULTS.items(), ids=FAULTS)
def test_what_is_wrong_is_said_and_the_rest_is_cleaned_up(
    stack: SmokedStack, fault: str, line: str
) -> None:
    code, text = stack.smoke(fault)
    assert code == 1, text
    assert line in text
    assert "smoke: dc FAILED" in text
    # A project is not deleted before its connectors.
    stays = {"/projects/p", fault.removeprefix("stays ")}
    assert stack.exists == (stays if fault.startswith("stays") else set())


def test_what_cannot_be_cleaned_up_is_named(stack: SmokedStack) -> None:
    code, text = stack.smoke("stays /projects/p/devices/d")
    assert code == 1
    assert "no            everything is cleaned up: left: the device (DELETE http" in text


UNUSUAL = {
    "first": "note: the stack had no administrator before, so this run's account administered",
    "no sign-in": "not reachable API Gateway refuses a forged id token: people do not sign in",
    "nothing is allowed": "not reachable IAM denies what it should: it does not even allow dynamo",
    "ringing": "note: in alarm now: dc-Alarm1, dc-Alarm2",
    "no topic": "not reachable somebody hears of alarms: AlarmTopicArn is empty",
    "foreign topic": "not reachable somebody hears of alarms: An error occurred (AuthorizationErro",
    "warm": "not reachable cold starts of the functions: the logs report no cold start of late",
}


@pytest.mark.parametrize(("case", "line"), UNUSUAL.items(), ids=UNUSUAL)
def test_what_is_no_fault_of_the_stack_is_said_and_the_run_goes_on(
    stack: SmokedStack, case: str, line: str
) -> None:
    code, text = stack.smoke(case)
    assert code == 0, text
    assert line in text


def test_without_an_endpoint_to_try_it_says_what_is_left_out_and_how_to_go_on(
    stack: SmokedStack,
) -> None:
    code, text = stack.smoke("no try-out")
    assert code == 2, text
    assert "Deploy it with TryOut=true for a while, or name an endpoint" in text
    assert "without seeing an event" in text


def test_a_receiver_of_ones_own_takes_its_place(stack: SmokedStack) -> None:
    code, text = stack.smoke("no try-out", receiver="https://example.com/hook")
    assert code == 0, text
    assert "yes           an event arrives at the endpoint: answered 200" in text
    assert "not reachable it is signed with the connector's secret" in text
    assert stack.exists == set()


def test_an_interrupted_run_cleans_up(stack: SmokedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Api, *call: Any) -> Any:
        if call[:2] == ("POST", "/projects/p/events"):
            raise KeyboardInterrupt
        return expect(_, *call)

    expect = Api.expect
    monkeypatch.setattr(Api, "expect", interrupted)
    code, text = stack.smoke()
    assert (code, stack.exists) == (1, set())
    assert "no            the run: interrupted" in text
