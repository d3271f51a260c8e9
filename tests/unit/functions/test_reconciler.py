"""What the reconciler's handler does, logs and reports, with real clients over moto."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from dataconnectors.connectors.connector import Lifecycle, Status
from dataconnectors.connectors.failing import Failing
from dataconnectors.expiry.accounting import Accountant
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.projects import Project
from dataconnectors.kernel.times import to_text
from dataconnectors.provisioning.drift_check import ORPHAN_AGE
from dataconnectors.replay.replay import Replay, ReplayState
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.keys import connector_key
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.replays import ReplayStore
from dataconnectors.store.table import Table
from functions.reconciler import app
from tests.support.aws import make_sender, make_table
from tests.support.cloudwatch import CloudWatch, in_queue
from tests.support.rows import a_connector
from tests.support.virtual_time import EPOCH, VirtualTime

EVENT = json.loads((Path(__file__).parents[3] / "events" / "reconciler.json").read_text())
A_MINUTE_AGO = to_text(EPOCH - 60)
NEW = a_connector(
    id="c1",
    lifecycle=Lifecycle.PROVISIONING,
    queue_id="0123456789abcdefghij",
    create_time=A_MINUTE_AGO,
    update_time=A_MINUTE_AGO,
)


class Context:
    """The part of Lambda's context that the handler uses."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with the table, a project, and the sender with its alias, outside of drift
    checks."""
    clock = VirtualTime()
    with mock_aws():
        timeless = app.make_reconciler(clock=clock.clock, sleep=clock.sleep, now=clock.now)
        monkeypatch.setattr(app, "reconciler", timeless)
        make_table()
        table = Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])
        ProjectStore(table).create_project(Project("p", "", "", 0, 0, A_MINUTE_AGO))
        make_sender()
        app.expired_events.set_last_accounted_hour(time.time())
        yield


def test_a_run_without_drift_reports_zero_drift(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    report = app.lambda_handler(EVENT, Context())
    (ran,) = caplog.records
    assert ran.message == "reconciler.ran"
    assert report.items() <= vars(ran).items()
    assert report["not_repaired"] == 0
    metric = json.loads(capsys.readouterr().out.splitlines()[-1])
    definition = metric["_aws"]["CloudWatchMetrics"][0]
    assert definition["Namespace"] == os.environ["STACK_NAME"]
    assert definition["Dimensions"] == [["service"]]
    assert metric["Drift"] == 0


def test_expired_events_are_announced_to_eventbridge(caplog: pytest.LogCaptureFixture) -> None:
    store = ExpiredEventStore(app.table)
    event = ExpiredEvent(NEW.name, "e1", "touch", "", 20, "status", "", 503, EPOCH, EPOCH)
    store.count_for_announcement([event, event], EPOCH)
    app.lambda_handler({}, Context())
    (announced,) = [
        vars(record) for record in caplog.records if record.message == "expired.announced"
    ]
    assert (announced["connectors"], announced["events"], announced["levelname"]) == (1, 2, "INFO")
    (pending,) = store.pending_announcements()
    assert pending.count == 0
    assert pending.announced_at > EPOCH


def test_an_outage_is_told_and_a_connector_that_never_works_is_disabled(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.connector_rows.create_connector(replace(NEW, lifecycle=Lifecycle.READY))
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:people"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setattr(app, "settings", app.settings._replace(notice_topic=topic))
    now = time.time()
    failing = Failing(
        now - 5 * 86_400, now, "timeout", "no answer", None, now, now - 90, 100, watched=True
    )
    FailingStore(app.table).record(NEW, failing)
    app.lambda_handler({}, Context())
    (watched,) = [vars(record) for record in caplog.records if record.msg == "connectors.watched"]
    assert (watched["watched"], watched["notices"], watched["disabled"]) == (1, 1, 1)
    row = app.connector_rows.connector(NEW.name)
    assert row is not None
    assert row.status is Status.SYSTEM_DISABLED
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    sent = json.loads(message["Body"])
    assert sent["Subject"] == "Data Connector Disabled"
    assert sent["Message"].startswith(f"{NEW.name} was disabled by the service at ")
    caplog.clear()
    app.lambda_handler({}, Context())
    assert "connectors.watched" not in [record.message for record in caplog.records]


def test_a_topic_that_is_gone_costs_an_error_line_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:gone"
    monkeypatch.setattr(app, "settings", app.settings._replace(notice_topic=topic))
    app.publish("Subject", "Sentence")
    (failed,) = caplog.records
    assert (failed.message, failed.levelname) == ("notice.not_published", "ERROR")


def test_an_hour_is_accounted_for_with_metrics_of_cloudwatch(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app.connector_rows.create_connector(replace(NEW, lifecycle=Lifecycle.READY))
    app.account_for_queues(time.time() + 4 * 3600, lambda: 60.0)
    (accounted,) = caplog.records
    assert (accounted.message, accounted.levelname) == ("queues.accounted", "INFO")
    assert json.loads(capsys.readouterr().out)["Unaccounted"] == 0


def test_unaccounted_events_make_an_error_a_metric_and_a_record(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    app.connector_rows.create_connector(replace(NEW, lifecycle=Lifecycle.READY))
    hour = EPOCH // 3600 * 3600
    queue = f"dc-test-c-{NEW.queue_id}"
    watch = CloudWatch(hour, **{queue: in_queue({5: 500.0}, {6: 100.0}, {59: 0.0})})
    accountant = Accountant(
        watch, app.connector_rows, app.expired_events, lambda queue_id: f"dc-test-c-{queue_id}"
    )
    monkeypatch.setattr(app, "accountant", accountant)
    app.expired_events.set_last_accounted_hour(hour - 3600)
    for _ in range(2):
        app.account_for_queues(hour + 3600 + 25 * 60, lambda: 60.0)
    assert app.expired_events.last_accounted_hour() == hour
    (accounted,) = caplog.records
    assert accounted.levelname == "ERROR"
    assert vars(accounted)["connectors"] == (NEW.name,)
    assert json.loads(capsys.readouterr().out)["Unaccounted"] == 400
    (record,), _ = app.expired_events.page(NEW.name, EPOCH, limit=10, after="")
    assert (record.kind, record.event_id) == ("unaccounted", "")
    assert record.message.startswith("about 400 events are neither delivered nor in the queue")
    assert record.count == 400


def test_a_replay_that_nobody_works_on_is_started_each_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    invoked: list[Any] = []

    def invoke(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        invoked.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    replay = Replay(NEW.name, "r1", ReplayState.RUNNING, 1.0, 2.0, (), (), 1, EPOCH, EPOCH)
    entry = Actor("a", "k", "", EPOCH, "request").audit_entry("dataconnector.update", replay.name)
    ReplayStore(app.table).create(replay, entry)
    events = app.functions.meta.events
    events.register("before-call.lambda.Invoke", invoke)
    try:
        for _ in range(2):
            app.lambda_handler({}, Context())
    finally:
        events.unregister("before-call.lambda.Invoke", invoke)
    assert invoked == [{"replay": replay.name}] * 2
    started = [vars(record) for record in caplog.records if record.message == "replay.started"]
    assert [(line["started"], line["waiting"], line["levelname"]) for line in started] == (
        [(1, 0, "INFO")] * 2
    )


@pytest.mark.parametrize(
    ("event", "drift_check"), [({"audit": True}, True), ({"audit": "yes"}, False), (EVENT, False)]
)
def test_an_invocation_with_true_makes_a_drift_check(
    event: dict[str, Any], drift_check: bool
) -> None:
    assert app.lambda_handler(event, Context())["drift_check"] is drift_check


def test_an_unfinished_connector_is_finished_in_sqs_and_lambda(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = app.connector_rows
    store.create_connector(NEW)
    report = app.lambda_handler({}, Context())
    assert (report["provisioned"], report["drift"], report["not_repaired"]) == (1, 0, 0)
    row = store.connector(NEW.name)
    assert row is not None
    assert row.lifecycle is Lifecycle.READY
    assert row.queue_url.endswith("/dc-test-c-0123456789abcdefghij")
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=row.queue_url, AttributeNames=["VisibilityTimeout", "MessageRetentionPeriod"]
    )["Attributes"]
    assert attributes == {"VisibilityTimeout": "180", "MessageRetentionPeriod": "43200"}
    mapping = boto3.client("lambda").get_event_source_mapping(UUID=row.mapping_id)
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    logged = {record.message: vars(record) for record in caplog.records}
    assert logged["reconciler.repaired"]["connector"] == NEW.name
    assert logged["reconciler.repaired"]["drift"] is False


def test_a_deleted_connector_leaves_nothing_behind() -> None:
    store = app.connector_rows
    store.create_connector(NEW)
    app.lambda_handler({}, Context())
    row = store.connector(NEW.name)
    assert row is not None
    store.update_connector(row, replace(row, lifecycle=Lifecycle.DELETING))
    first = app.lambda_handler({}, Context())
    second = app.lambda_handler({}, Context())
    assert (first["waiting"], second["deleted"]) == (1, 1)
    assert store.connector(NEW.name) is None
    assert "QueueUrls" not in boto3.client("sqs").list_queues()
    mappings = boto3.client("lambda").list_event_source_mappings()
    assert mappings["EventSourceMappings"] == []


def test_a_drift_check_gives_outdated_queues_and_mappings_the_stacks_settings() -> None:
    store = app.connector_rows
    store.create_connector(NEW)
    app.lambda_handler({}, Context())
    row = store.connector(NEW.name)
    assert row is not None
    store.update_connector(row, replace(row, provisioned="an older stack"))
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    sqs.set_queue_attributes(QueueUrl=row.queue_url, Attributes={"VisibilityTimeout": "60"})
    functions.update_event_source_mapping(UUID=row.mapping_id, BatchSize=5)
    report = app.lambda_handler({"audit": True}, Context())
    assert (report["updated"], report["not_repaired"]) == (2, 0)
    assert functions.get_event_source_mapping(UUID=row.mapping_id)["BatchSize"] == 10
    answer = sqs.get_queue_attributes(QueueUrl=row.queue_url, AttributeNames=["VisibilityTimeout"])
    assert answer["Attributes"] == {"VisibilityTimeout": "180"}


@pytest.mark.parametrize("has_queue", [True, False])
def test_a_drift_check_deletes_what_no_connector_needs(
    has_queue: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = app.connector_rows
    store.create_connector(NEW)
    app.lambda_handler({}, Context())
    row = store.connector(NEW.name)
    assert row is not None
    key = connector_key("p", NEW.id)
    boto3.client("dynamodb").delete_item(TableName=os.environ["TABLE_NAME"], Key=key)
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    if not has_queue:
        sqs.delete_queue(QueueUrl=row.queue_url)
    hours_later = app.make_reconciler(
        now=lambda: time.time() + 2 * ORPHAN_AGE, sleep=lambda seconds: None
    )
    monkeypatch.setattr(app, "reconciler", hours_later)
    for _ in range(2):  # Lambda takes some time to delete a mapping, and the queue goes after it
        app.lambda_handler({"audit": True}, Context())
    assert "QueueUrls" not in sqs.list_queues()
    assert functions.list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize("event", [{}, {"audit": True}])
def test_an_unreadable_index_logs_one_error_and_fails_the_invocation(
    event: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expired = ExpiredEvent(NEW.name, "e1", "touch", "", 20, "status", "", 503, EPOCH, EPOCH)
    ExpiredEventStore(app.table).count_for_announcement([expired], EPOCH)
    slow = ReadTimeoutError(endpoint_url="https://dynamodb")

    def connectors_in(lifecycle: Lifecycle) -> Iterator[Any]:
        raise slow

    monkeypatch.setattr(app.connector_rows, "connectors_in", connectors_in)
    with pytest.raises(ReadTimeoutError) as caught:
        app.lambda_handler(event, Context())
    # What Lambda logs of it: the handler itself (and this test), nothing of what it called.
    assert [entry.name for entry in caught.traceback][1:] == ["lambda_handler"]
    assert (slow.__cause__, slow.__suppress_context__) == (None, True)
    (failed,) = [record for record in caplog.records if record.message == "reconciler.not_repaired"]
    assert (failed.levelname, failed.exc_info) == ("ERROR", None)
    assert vars(failed)["reason"] == (
        "the index of connectors could not be read; the next minute's run goes on"
    )
    assert vars(failed)["detail"].startswith("ReadTimeoutError: ")
    # The rest has run; "no drift" is not said of what was not looked at.
    assert "expired.announced" in [record.message for record in caplog.records]
    assert '"Drift"' not in capsys.readouterr().out
