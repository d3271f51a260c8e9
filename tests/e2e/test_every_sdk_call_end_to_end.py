"""Every call of the vendor's SDK works on the local stack, in the session that users can run."""

import base64
import inspect
import re
from typing import Any

import pytest
from dtintegrations.data_connector.http_push import HttpPush

from examples import sdk_session
from examples.sdk_session import NOT_CALLED, Session, SessionError
from tests.e2e.conftest import Stack
from tests.e2e.test_one_event_end_to_end import Receiver

HOOK = "session"


@pytest.fixture(scope="module")
def receiver(stack: Stack) -> Receiver:
    return Receiver(stack)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The lines of the session's transcript."""
    return []


@pytest.fixture(scope="module")
def ran(sdk: Any, receiver: Receiver, lines: list[str]) -> Session:
    """A session that ran to its end, so every answer was the expected one."""
    do = Session(receiver.hook(HOOK), lines.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk, "request_timeout", sdk_session.REQUEST_SECONDS)
        sdk_session.session(do)
    return do


def calls(sdk: Any) -> set[str]:
    """All calls of the installed SDK, as `Class.method`."""
    classes = [
        value
        for value in vars(sdk).values()
        if inspect.isclass(value) and value.__module__.startswith("disruptive.")
    ]
    return {
        f"{owner.__name__}.{name}"
        for owner in classes
        for name, value in vars(owner).items()
        if isinstance(value, classmethod | staticmethod) and not name.startswith("_")
    }


def test_every_call_of_the_sdk_was_made_or_is_named_with_a_reason(sdk: Any, ran: Session) -> None:
    offered = calls(sdk)
    assert len(offered) >= 50
    assert ran.called | NOT_CALLED.keys() == offered
    assert not ran.called & NOT_CALLED.keys()


def test_the_endpoint_got_the_event_and_its_sync(ran: Session, receiver: Receiver) -> None:
    first, again = (
        HttpPush(request["headers"], base64.b64decode(request["body"]), ran.secret)
        for request in receiver.requests(HOOK)
    )
    assert first.event.data.celsius == 4.5
    assert first.labels == {"name": "Fridge", "room": "12"}
    assert (again.event.event_id, again.labels) == (first.event.event_id, first.labels)


@pytest.mark.usefixtures("ran")
def test_the_session_leaves_nothing_behind(sdk: Any, stack: Stack) -> None:
    assert [each.project_id for each in sdk.Project.list_projects()] == [stack.ready["project"]]
    (member,) = sdk.Organization.list_members(sdk_session.ORGANIZATION)
    assert member.account_type == "SERVICE_ACCOUNT"


def test_the_transcript_has_each_call_and_no_secret(ran: Session, lines: list[str]) -> None:
    assert {line.partition("(")[0] for line in lines} == ran.called
    assert ran.secret not in "".join(lines)
    assert not re.search(r"[\w-]{32,}|secret", "".join(lines))


def test_a_session_ends_at_the_first_unexpected_answer(sdk: Any) -> None:
    with pytest.raises(SessionError, match="expected 2, got 1"):
        sdk_session.expect(1, 2)
    with pytest.raises(SessionError, match="get_role: expected Forbidden, got"):
        Session("", print).refused(sdk.errors.Forbidden, sdk.Role.get_role, "project.user")
