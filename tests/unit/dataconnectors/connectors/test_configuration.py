"""What customers may set on a connector."""

from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from dataconnectors.connectors import configuration
from dataconnectors.connectors.configuration import Configuration
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
    return configuration.parse_create({"httpConfig": {"url": URL}} | body, CHECK)


def patch(body: Any, mask: list[str] | None = None, current: Configuration = CURRENT) -> Any:
    return configuration.parse_patch(body, mask, current, CHECK)


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


def test_a_status_that_is_named_but_absent_is_reset() -> None:
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
        ({"httpConfig": {"url": URL, "headers": []}}, "headers: expected an object"),
        ({"httpConfig": {"url": URL, "headers": {"a b": "x"}}}, "no header name"),
        ({"httpConfig": {"url": URL, "headers": {"": "x"}}}, "no header name"),
        ({"httpConfig": {"url": URL, "headers": {"HOST": "x"}}}, "HOST is set by the sender"),
        ({"httpConfig": {"url": URL, "headers": {"X-DT-signature": "x"}}}, "set by the sender"),
        ({"httpConfig": {"url": URL, "headers": {"a": "x", "A": "y"}}}, "A is given twice"),
        ({"httpConfig": {"url": URL, "headers": {"a": "x\r\nb: y"}}}, "headers.a: expected"),
        ({"httpConfig": {"url": URL, "headers": {"a": " x"}}}, "headers.a: expected"),
        ({"httpConfig": {"url": URL, "headers": {"a": "é"}}}, "headers.a: expected"),
        ({"httpConfig": {"url": URL, "headers": {"a": 3}}}, "headers.a: expected"),
    ],
)
def test_what_is_wrong_is_named(body: Any, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        patch(body)
    with pytest.raises(BadRequestError):
        configuration.parse_create(body, CHECK)


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Expect",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "proxy-connection",
        "TE",
        "Trailer",
        "transfer-encoding",
        "UPGRADE",
    ],
)
def test_a_header_of_the_connection_is_refused(name: str) -> None:
    """RFC 9110, sections 7.6.1 and 10.1.1, and RFC 2616, section 13.5.1."""
    reason = rf"httpConfig\.headers: {name} belongs to the connection and is not passed on"
    with pytest.raises(BadRequestError, match=reason):
        patch({"httpConfig": {"headers": {name: "100-continue"}}})
    with pytest.raises(BadRequestError, match=reason):
        create(httpConfig={"url": URL, "headers": {"x-team": "blue", name: ""}})


@pytest.mark.parametrize("name", ["Authorization", "Date", "Expectation", "User-Agent", "Via"])
def test_a_header_of_the_request_may_be_set(name: str) -> None:
    headers = {name: "x"}
    assert patch({"httpConfig": {"headers": headers}}).secrets.headers == ((name, "x"),)


@pytest.mark.parametrize("http", [None, {}, {"url": ""}, {"url": None}])
def test_create_needs_a_url(http: Any) -> None:
    with pytest.raises(BadRequestError, match=r"httpConfig\.url"):
        configuration.parse_create({"type": "HTTP_PUSH", "httpConfig": http}, CHECK)


def test_a_mask_that_names_nothing_of_ours_is_refused() -> None:
    with pytest.raises(BadRequestError, match="update_mask: 'type' is unknown"):
        patch({}, ["type"])


def test_an_error_never_quotes_a_header_value() -> None:
    with pytest.raises(BadRequestError) as caught:
        patch({"httpConfig": {"headers": {"authorization": "Bearer s3cr3t\n"}}})
    assert "s3cr3t" not in str(caught.value)
