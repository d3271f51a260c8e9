"""How a configuration is shown, and how two of them are compared."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.configuration import Configuration, changed_fields, to_api
from dataconnectors.connectors.connector import Status
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets
from tests.support.rows import a_connector

SECRETS = Secrets("secret", (("x-team", "blue"),))
CONNECTOR = a_connector(
    project="p1",
    id="c1",
    display_name="first",
    event_types=("touch",),
    labels=("room",),
    url="https://example.com/hook",
)
CURRENT = Configuration.of(CONNECTOR, SECRETS)


def test_an_answer_shows_every_field() -> None:
    assert to_api(CONNECTOR, SECRETS) == {
        "name": "projects/p1/dataconnectors/c1",
        "displayName": "first",
        "type": "HTTP_PUSH",
        "status": "ACTIVE",
        "events": ["touch"],
        "labels": ["room"],
        "httpConfig": {
            "url": "https://example.com/hook",
            "signatureSecret": "secret",
            "headers": {"x-team": "blue"},
            "standardWebhooks": False,
        },
    }
    assert to_api(CONNECTOR, NO_SECRETS)["httpConfig"] == {
        "url": "https://example.com/hook",
        "signatureSecret": "",
        "headers": {},
        "standardWebhooks": False,
    }


def test_an_answer_says_until_when_the_previous_secret_signs_but_never_shows_it() -> None:
    changing = Secrets("new", (), "the previous one", 1_790_000_000.0, standard_webhooks=True)
    for shown in (changing, changing.masked()):
        http = to_api(CONNECTOR, shown)["httpConfig"]
        assert http["previousSecretExpireTime"] == "2026-09-21T14:13:20.000000Z"
        assert http["standardWebhooks"]
        assert "previous one" not in repr((http, shown))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ()),
        ({"display_name": "b", "status": Status.USER_DISABLED}, ("displayName", "status")),
        ({"event_types": (), "labels": ()}, ("events", "labels")),
        ({"url": "https://b.example/"}, ("httpConfig.url",)),
        ({"secrets": Secrets("n", SECRETS.headers)}, ("httpConfig.signatureSecret",)),
        ({"secrets": NO_SECRETS}, ("httpConfig.signatureSecret", "httpConfig.headers")),
        (
            {"secrets": Secrets("n", SECRETS.headers, "secret", 1.0)},
            ("httpConfig.signatureSecret", "httpConfig.previousSecretTtl"),
        ),
        (
            {"secrets": replace(SECRETS, standard_webhooks=True)},
            ("httpConfig.standardWebhooks",),
        ),
    ],
)
def test_changed_fields_have_the_names_of_an_update_mask(
    changes: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert changed_fields(CURRENT, replace(CURRENT, **changes)) == names
