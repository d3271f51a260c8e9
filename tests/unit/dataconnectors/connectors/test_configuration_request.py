"""Which fields of a connector a create or update request sets, and which it leaves unchanged."""

from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from dataconnectors.connectors.configuration import Configuration
from dataconnectors.connectors.configuration_request import parse_create, parse_patch
from dataconnectors.connectors.connector import Status
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.addresses import check_url
from dataconnectors.kernel.errors import BadRequestError

URL = "https://example.com/hook"
CHECK = partial(check_url, allowed=(ip_network("127.0.0.0/8"),))
CURRENT = Configuration(
    url=URL,
    display_name="first",
    event_types=("touch",),
    labels=("room",),
    secrets=Secrets("secret", (("x-team", "blue"),)),
)


def create(**body: Any) -> Configuration:
    return parse_create({"httpConfig": {"url": URL}} | body, CHECK)


def patch(body: Any, mask: list[str] | None = None, current: Configuration = CURRENT) -> Any:
    return parse_patch(body, mask, current, CHECK)


def test_the_minimal_body_gives_the_documented_defaults() -> None:
    assert create(type="HTTP_PUSH") == Configuration(
        url=URL, display_name="", status=Status.ACTIVE, event_types=(), labels=("name",)
    )


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"displayName": "x"}, {"display_name": "x"}),
        ({"displayName": None}, {}),
        ({"status": "USER_DISABLED"}, {"status": Status.USER_DISABLED}),
        ({"status": None}, {}),
        ({"events": ["touch", "motion", "touch"]}, {"event_types": ("touch", "motion")}),
        ({"events": None}, {}),
        ({"labels": []}, {"labels": ()}),
        ({"labels": None}, {}),
        ({"labels": ["b", "a"]}, {"labels": ("b", "a")}),
        ({"name": "projects/x/dataconnectors/y", "azureEventHubConfig": None}, {}),
    ],
)
def test_create_reads_each_field(body: dict[str, Any], changes: dict[str, Any]) -> None:
    assert create(**body) == replace(Configuration(url=URL), **changes)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"status": "USER_DISABLED"}, {"status": Status.USER_DISABLED}),
        ({"httpConfig": {"url": "https://b.example/"}}, {"url": "https://b.example/"}),
        ({"httpConfig": {}}, {}),
        ({"httpConfig": None}, {}),
        ({"httpConfig": {"url": None}}, {}),
        ({"httpConfig": {"url": None, "headers": None}}, {"secrets": Secrets("secret", ())}),
        (
            {"httpConfig": {"signatureSecret": ""}},
            {"secrets": Secrets("", (("x-team", "blue"),))},
        ),
        ({"httpConfig": {"headers": {}}}, {"secrets": Secrets("secret", ())}),
        (
            {"httpConfig": {"headers": {"a": '"quoted"'}}},
            {"secrets": Secrets("secret", (("a", '"quoted"'),))},
        ),
        ({"labels": ["x"], "events": []}, {"labels": ("x",), "event_types": ()}),
    ],
)
def test_patch_without_a_mask_changes_what_the_body_names(
    body: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert patch(body) == replace(CURRENT, **changes)


@pytest.mark.parametrize(
    ("mask", "body", "changes"),
    [
        (["displayName"], {"displayName": "b", "labels": []}, {"display_name": "b"}),
        (["displayName", "events"], {}, {"display_name": "", "event_types": ()}),
        (
            ["httpConfig.signatureSecret"],
            {"httpConfig": {"signatureSecret": "n", "headers": {}}},
            {"secrets": Secrets("n", (("x-team", "blue"),))},
        ),
        (["httpConfig.headers"], {}, {"secrets": Secrets("secret", ())}),
        (
            ["httpConfig"],
            {"httpConfig": {"url": "https://c.example/"}},
            {"url": "https://c.example/", "secrets": Secrets()},
        ),
    ],
)
def test_patch_with_a_mask_changes_what_the_mask_names(
    mask: list[str], body: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert patch(body, mask) == replace(CURRENT, **changes)


def test_a_status_in_the_mask_but_not_in_the_body_is_reset() -> None:
    disabled = replace(CURRENT, status=Status.USER_DISABLED)
    assert patch({}, ["status"], disabled).status is Status.ACTIVE
    assert patch({"status": None}, None, disabled) == disabled


def test_a_service_disabled_connector_may_be_sent_back_as_it_is_and_enabled() -> None:
    disabled = replace(CURRENT, status=Status.SYSTEM_DISABLED)
    assert patch({"status": "SYSTEM_DISABLED"}, None, disabled) == disabled
    assert patch({"status": "ACTIVE"}, None, disabled).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "body: expected a JSON object"),
        ([], "body: expected a JSON object"),
        ({"type": "AWS_SQS"}, "type: 'AWS_SQS' is not served, expected HTTP_PUSH"),
        ({"typo": 1}, "'typo': unknown field"),
        ({"pubsubConfig": {}}, "'pubsubConfig': unknown field"),
        ({"displayName": 3}, "displayName"),
        ({"displayName": "x" * 257}, "displayName"),
        ({"displayName": "a\nb"}, "displayName"),
        ({"status": "OFF"}, "status: expected ACTIVE or USER_DISABLED"),
        ({"status": "SYSTEM_DISABLED"}, "status: expected ACTIVE or USER_DISABLED"),
        ({"status": {}}, "status: expected"),
        ({"events": "touch"}, "events: expected a list"),
        ({"events": ["touch", "tuch"]}, "events: 'tuch' is unknown"),
        ({"events": [{}]}, "events: {} is unknown"),
        ({"labels": "name"}, "labels: expected a list"),
        ({"labels": [""]}, "labels: expected a list"),
        ({"labels": [3]}, "labels: expected a list"),
        ({"labels": [str(n) for n in range(51)]}, "labels: 51 given, at most 50"),
        ({"httpConfig": []}, "httpConfig"),
        ({"httpConfig": {"url": URL, "method": "PUT"}}, "httpConfig.'method': unknown"),
        ({"httpConfig": {"url": 3}}, "httpConfig.url: expected"),
        ({"httpConfig": {"url": "http://example.com/"}}, "httpConfig.url: "),
        ({"httpConfig": {"url": "https://10.0.0.1/"}}, "httpConfig.url: "),
        ({"httpConfig": {"url": URL, "signatureSecret": 3}}, "signatureSecret: expected a text"),
        ({"httpConfig": {"url": URL, "signatureSecret": "\ud800"}}, "signatureSecret: expected"),
        ({"httpConfig": {"url": URL, "signatureSecret": "s\x00"}}, "no control characters"),
        ({"httpConfig": {"url": URL, "signatureSecret": "s" * 4096}}, "at most 4096"),
        ({"httpConfig": {"url": URL, "headers": {"Expect": "x"}}}, "headers: Expect belongs to"),
    ],
)
def test_what_is_wrong_is_named(body: Any, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        patch(body)
    with pytest.raises(BadRequestError):
        parse_create(body, CHECK)


@pytest.mark.parametrize("http", [None, {}, {"url": ""}, {"url": None}])
def test_create_needs_a_url(http: Any) -> None:
    with pytest.raises(BadRequestError, match=r"httpConfig\.url"):
        parse_create({"type": "HTTP_PUSH", "httpConfig": http}, CHECK)


def test_a_mask_without_a_known_field_is_refused() -> None:
    with pytest.raises(BadRequestError, match="update_mask: 'type' is unknown"):
        patch({}, ["type"])
