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

NOW = 1_790_000_000.0
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
    return parse_patch(body, mask, current, CHECK, NOW)


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
        (
            ["httpConfig.standardWebhooks"],
            {"httpConfig": {"standardWebhooks": True, "signatureSecret": "n"}},
            {"secrets": replace(CURRENT.secrets, standard_webhooks=True)},
        ),
    ],
)
def test_patch_with_a_mask_changes_what_the_mask_names(
    mask: list[str], body: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert patch(body, mask) == replace(CURRENT, **changes)


STANDARD = replace(CURRENT, secrets=replace(CURRENT.secrets, standard_webhooks=True))


@pytest.mark.parametrize(
    ("mask", "http", "stays"),
    [
        (None, {"url": URL, "signatureSecret": "n", "headers": {}}, True),
        (["httpConfig"], {"url": URL, "signatureSecret": "n", "headers": {}}, True),
        (["httpConfig"], {"url": URL, "signatureSecret": "n", "standardWebhooks": False}, False),
        (["httpConfig.standardWebhooks"], {}, False),
        (None, {"standardWebhooks": None}, False),
    ],
)
def test_a_client_that_does_not_know_our_fields_leaves_them_as_they_are(
    mask: list[str] | None, http: dict[str, Any], stays: bool
) -> None:
    """Such as the vendor's, which send `httpConfig` with their three fields."""
    assert patch({"httpConfig": http}, mask, STANDARD).secrets.standard_webhooks == stays


@pytest.mark.parametrize(
    ("mask", "http"),
    [
        (None, {"signatureSecret": "n", "keepPreviousSecret": True}),
        (["httpConfig.signatureSecret"], {"signatureSecret": "n", "keepPreviousSecret": True}),
        (
            ["httpConfig"],
            {
                "url": URL,
                "signatureSecret": "n",
                "headers": {"x-team": "blue"},
                "previousSecretTtl": "86400s",
            },
        ),
    ],
)
def test_a_rotation_keeps_the_previous_secret_with_or_without_a_mask(
    mask: list[str] | None, http: dict[str, Any]
) -> None:
    kept = Secrets("n", (("x-team", "blue"),), "secret", NOW + 86_400)
    assert patch({"httpConfig": http}, mask) == replace(CURRENT, secrets=kept)


def test_other_changes_leave_a_previous_secret_as_it_is() -> None:
    rotating = replace(CURRENT, secrets=Secrets("n", (), "secret", NOW + 60))
    changed = patch({"httpConfig": {"headers": {"a": "b"}}, "labels": []}, None, rotating)
    assert changed.secrets == Secrets("n", (("a", "b"),), "secret", NOW + 60)


def test_what_was_read_may_be_sent_back_while_a_secret_changes() -> None:
    rotating = replace(CURRENT, secrets=Secrets("n", (), "secret", NOW + 60))
    http = {"signatureSecret": "n", "previousSecretExpireTime": "2026-09-21T14:13:20.000000Z"}
    assert patch({"httpConfig": http}, None, rotating) == rotating


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
        (
            {"httpConfig": {"url": URL, "headers": {"Webhook-Id": "x"}}},
            "headers: Webhook-Id is set by the sender",
        ),
        ({"httpConfig": {"url": URL, "standardWebhooks": 1}}, "standardWebhooks: expected true or"),
        (
            {"httpConfig": {"url": URL, "standardWebhooks": True, "signatureSecret": ""}},
            "standardWebhooks: needs a signatureSecret",
        ),
        (
            {"httpConfig": {"url": URL, "standardWebhooks": True, "signatureSecret": "whsec_A"}},
            "signatureSecret: after whsec_ there is no base64",
        ),
        (
            {"httpConfig": {"url": URL, "keepPreviousSecret": 1}},
            "keepPreviousSecret: expected true",
        ),
        (
            {"httpConfig": {"url": URL, "keepPreviousSecret": True}},
            "previousSecretTtl: there is no previous secret",
        ),
    ],
)
def test_what_is_wrong_is_named(body: Any, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        patch(body)
    with pytest.raises(BadRequestError):
        parse_create(body, CHECK)


def test_a_secret_of_standard_webhooks_cannot_be_removed_alone() -> None:
    with pytest.raises(BadRequestError, match="standardWebhooks: needs a signatureSecret"):
        patch({"httpConfig": {"signatureSecret": ""}}, None, STANDARD)
    both = patch({"httpConfig": {"signatureSecret": "", "standardWebhooks": False}}, None, STANDARD)
    assert both.secrets == Secrets("", CURRENT.secrets.headers)


def test_a_new_connector_may_ask_to_keep_a_secret_that_it_does_not_have() -> None:
    http = {"url": URL, "signatureSecret": "s", "keepPreviousSecret": True}
    assert create(httpConfig=http).secrets == Secrets("s")


def test_a_previous_secret_takes_room_too() -> None:
    http = {"signatureSecret": "n" * 2000, "keepPreviousSecret": True}
    large = replace(CURRENT, secrets=Secrets("s" * 2100))
    with pytest.raises(BadRequestError, match="the previous one and headers take 41"):
        patch({"httpConfig": http}, None, large)


@pytest.mark.parametrize("http", [None, {}, {"url": ""}, {"url": None}])
def test_create_needs_a_url(http: Any) -> None:
    with pytest.raises(BadRequestError, match=r"httpConfig\.url"):
        parse_create({"type": "HTTP_PUSH", "httpConfig": http}, CHECK)


def test_a_mask_without_a_known_field_is_refused() -> None:
    with pytest.raises(BadRequestError, match="update_mask: 'type' is unknown"):
        patch({}, ["type"])
