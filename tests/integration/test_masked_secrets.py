"""Who reads a connector's secrets: those who may change it. Others learn only that there are some.

A signature secret that a reader knows lets the reader forge events.
"""

from typing import Any

import disruptive
import pytest

from dataconnectors.connectors.secrets import MASK
from dataconnectors.identity import roles
from tests.integration.conftest import Client, sdk_options
from tests.integration.test_ingest import connect

SECRET = "a secret that signs events"
HEADERS = {"X-Key": "a key of the endpoint", "X-Empty": ""}


def shown(client: Client, path: str) -> tuple[Any, Any]:
    """The secrets of a connector by itself and in the list, as its reader gets them."""
    status, connector = client.call("GET", path)
    assert status == 200, connector
    status, page = client.call("GET", "/dataconnectors")
    assert status == 200, page
    (listed,) = page["dataConnectors"]
    assert listed == connector
    return connector["httpConfig"]["signatureSecret"], connector["httpConfig"]["headers"]


@pytest.mark.parametrize(
    ("role", "reads"),
    [(roles.USER, False), (roles.DEVELOPER, True), (roles.ADMIN, True)],
)
def test_secrets_are_shown_to_those_who_may_change_them(
    client: Client, role: str, reads: bool
) -> None:
    http = {"url": "https://example.com/hook", "signatureSecret": SECRET, "headers": HEADERS}
    path = connect(client, httpConfig=http)
    secret, headers = shown(client.account_with(role), path)
    if reads:
        assert (secret, headers) == (SECRET, HEADERS)
    else:
        assert (secret, headers) == (MASK, {"X-Key": MASK, "X-Empty": MASK})


def test_a_reader_sees_that_there_is_no_secret(client: Client) -> None:
    path = connect(client)
    assert shown(client.account_with(roles.USER), path) == ("", {})


def test_the_sdk_reads_a_connector_with_masked_secrets(client: Client, base_url: str) -> None:
    http = {"url": "https://example.com/hook", "signatureSecret": SECRET, "headers": HEADERS}
    path = connect(client, httpConfig=http)
    options = sdk_options(client.account_with(roles.USER), base_url)
    connector = disruptive.DataConnector.get_data_connector(
        path.rpartition("/")[2], client.project, **options
    )
    assert connector.config is not None
    assert connector.config.signature_secret == MASK
    assert connector.config.headers == {"X-Key": MASK, "X-Empty": MASK}


@pytest.mark.parametrize(
    ("http", "field"),
    [
        ({"signatureSecret": MASK}, "httpConfig.signatureSecret"),
        ({"headers": {"X-Key": MASK}}, "httpConfig.headers.X-Key"),
        ({"url": f"https://example.com/hook?code={MASK}"}, "httpConfig.url"),
    ],
)
def test_a_mask_that_is_sent_back_does_not_replace_a_secret(
    client: Client, http: dict[str, Any], field: str
) -> None:
    """Who has read a connector without the permission may write it with another account."""
    connector = {"url": "https://example.com/hook", "signatureSecret": SECRET, "headers": HEADERS}
    path = connect(client, httpConfig=connector)
    status, answer = client.call("PATCH", path, {"httpConfig": http})
    assert status == 400
    assert answer["error"].startswith(f"{field}: ")
    assert shown(client, path) == (SECRET, HEADERS)
