"""The handlers understand the files in events/, which `make invoke` sends."""

import json
from pathlib import Path

import pytest

from functions.config_api import app as config_api
from functions.ingest import app as ingest
from functions.labels import app as labels
from functions.replay import app as replay
from functions.sync import app as sync
from functions.try_out import app as try_out
from tests.support.api_server import Handler
from tests.support.http_api import LambdaContext, content

EVENTS = Path(__file__).parents[2] / "events"


def test_publishing_without_credentials_is_a_401() -> None:
    event = json.loads((EVENTS / "ingest_events.json").read_text())
    answer = ingest.lambda_handler(event, LambdaContext())
    assert answer["statusCode"] == 401
    assert content(answer)["error"].startswith("no credentials")


@pytest.mark.parametrize(
    ("file", "handler"),
    [
        ("ingest_unknown_key.json", ingest.lambda_handler),
        ("config_api_unknown_key.json", config_api.lambda_handler),
    ],
)
def test_a_key_that_is_not_there_is_a_401(file: str, handler: Handler) -> None:
    answer = handler(json.loads((EVENTS / file).read_text()), LambdaContext())
    assert answer["statusCode"] == 401
    assert not content(answer)["error"].startswith("no credentials")


def test_the_page_of_errors_needs_no_credentials() -> None:
    event = json.loads((EVENTS / "config_api_errors_page.json").read_text())
    assert config_api.lambda_handler(event, LambdaContext())["statusCode"] == 200


def test_a_changed_label_of_a_deleted_project_is_ignored() -> None:
    event = json.loads((EVENTS / "labels_changed.json").read_text())
    assert labels.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}


def test_a_sync_of_a_deleted_connector_sends_nothing() -> None:
    event = json.loads((EVENTS / "sync.json").read_text())
    assert sync.lambda_handler(event, LambdaContext())["sent"] == 0


def test_a_replay_that_is_gone_is_not_run() -> None:
    event = json.loads((EVENTS / "replay.json").read_text())
    assert replay.lambda_handler(event, LambdaContext())["outcome"] == "not ours"


def test_a_delivery_to_an_address_that_was_never_made_is_a_404() -> None:
    event = json.loads((EVENTS / "try_out.json").read_text())
    assert try_out.lambda_handler(event, LambdaContext())["statusCode"] == 404
