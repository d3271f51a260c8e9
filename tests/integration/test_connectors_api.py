"""The service of connectors over moto: limits, repeated calls, and concurrent changes."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import MAXIMUM_CONNECTORS, Connector
from dataconnectors.connectors.idempotency import REMEMBERED_SECONDS
from dataconnectors.connectors.secrets import open_secrets
from dataconnectors.endpoints.addresses import check_url
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.times import to_text
from dataconnectors.provisioning.provisioner import Provisioner
from dataconnectors.services.connectors import ConnectorService
from dataconnectors.services.lists import ListRequest
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.table import Table
from tests.integration.conftest import Client

BODY = {"httpConfig": {"url": "https://example.com/hook", "signatureSecret": "one"}}
ROTATE = {"signatureSecret": "two", "keepPreviousSecret": True}
ME = Actor("me@example.com", "key1", "192.0.2.1", 1_790_000_000.0, "request")
ANOTHER = Actor("other@example.com", "key2", "192.0.2.1", 1_790_000_000.0, "request")


class Interrupted(ConnectorStore):
    """A store that runs each of the given functions once, before a read or a write."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.before_read: list[Callable[[], object]] = []
        self.before_write: list[Callable[[], object]] = []

    def connector(self, name: str) -> Connector | None:
        if self.before_read:
            self.before_read.pop()()
        return super().connector(name)

    def update_connector(self, *args: Any, **kwargs: Any) -> Connector | None:
        if self.before_write:
            self.before_write.pop()()
        return super().update_connector(*args, **kwargs)


class Service:
    """The service over moto, with a clock of its own and without waits."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.time = 1_790_000_000.0
        self.store = Interrupted(Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"]))
        self.connectors = ConnectorService(
            self.store,
            Vault(boto3.client("kms"), os.environ["KMS_KEY_ARN"]),
            Provisioner(
                boto3.client("sqs"),
                boto3.client("lambda"),
                self.store,
                QueueSettings.from_env(os.environ),
                sleep=lambda seconds: None,
            ).provision,
            partial(check_url, allowed=()),
            AttemptCountStore(self.store._table),
            entropy=os.urandom,
            now=lambda: self.time,
            sleep=lambda seconds: None,
        )

    def create(self, body: Any = None, actor: Actor = ME, idempotency_key: str = "") -> str:
        made = self.connectors.create(self.project, body or BODY, actor, idempotency_key)
        return str(made["name"])

    def patch(self, name: str, body: Any) -> dict[str, Any]:
        return self.connectors.update(self.project, name.rsplit("/")[-1], body, None, ME)

    def delete(self, name: str) -> None:
        self.connectors.delete(self.project, name.rsplit("/")[-1], ME)

    def names(self) -> set[str]:
        shown = self.connectors.page(
            self.project, ListRequest("dataConnectors"), show_secrets=True
        )["dataConnectors"]
        return {connector["name"] for connector in shown}

    def fill(self, free: int) -> None:
        """Set the count of connectors so that `free` more fit."""
        self.store._table.dynamodb.update_item(
            TableName=os.environ["TABLE_NAME"],
            Key={"pk": {"S": f"PROJECT#{self.project}"}, "sk": {"S": "VERSION"}},
            UpdateExpression="SET connectorCount = :count",
            ExpressionAttributeValues={":count": {"N": str(MAXIMUM_CONNECTORS - free)}},
        )


@pytest.fixture
def service(client: Client) -> Service:
    return Service(client.project)


def test_a_project_takes_a_hundred_connectors_and_a_deletion_makes_room(service: Service) -> None:
    service.fill(free=1)
    last = service.create()
    with pytest.raises(BadRequestError, match="has 100 connectors: delete one first"):
        service.create({"httpConfig": {"url": "https://example.com/2"}})
    assert service.create() == last  # the same call again makes no other connector
    service.delete(last)
    with pytest.raises(NotFoundError):
        service.delete(last)  # a second deletion does not make room again
    service.create()
    with pytest.raises(BadRequestError):
        service.create({"httpConfig": {"url": "https://example.com/3"}})


def test_a_repeated_create_call_makes_no_second_connector(service: Service) -> None:
    first = service.create()
    service.time += REMEMBERED_SECONDS - 1
    assert service.create() == first
    assert service.names() == {first}


def test_a_repeated_create_call_finishes_what_the_first_left_undone(
    service: Service,
) -> None:
    first = service.create()
    made = service.store.connector(first)
    assert made is not None
    # As if the first had died before it made anything.
    table = service.store._table
    table.dynamodb.update_item(
        TableName=table.name,
        Key={"pk": {"S": f"PROJECT#{made.project}"}, "sk": {"S": f"CONNECTOR#{made.id}"}},
        UpdateExpression="SET lifecycle = :lifecycle, mappingId = :none, queueUrl = :none",
        ExpressionAttributeValues={":lifecycle": {"S": "PROVISIONING"}, ":none": {"S": ""}},
    )
    assert service.create() == first
    again = service.store.connector(first)
    assert again is not None
    assert (again.lifecycle, again.queue_url) == (made.lifecycle, made.queue_url)
    assert again.mapping_id


@pytest.mark.parametrize(
    "create",
    [
        lambda service: service.create({"httpConfig": {"url": "https://example.com/2"}}),
        lambda service: service.create(BODY | {"displayName": "another"}),
        lambda service: service.create(
            {"httpConfig": BODY["httpConfig"] | {"signatureSecret": "two"}}
        ),
        lambda service: service.create(
            {"httpConfig": BODY["httpConfig"] | {"standardWebhooks": True}}
        ),
        lambda service: service.create(idempotency_key="another"),
        lambda service: service.create(actor=ANOTHER),
    ],
)
def test_a_create_call_that_differs_makes_another_connector(
    service: Service, create: Callable[[Service], str]
) -> None:
    first = service.create()
    second = create(service)
    assert first != second
    assert create(service) == second
    assert service.names() == {first, second}


def pass_time(service: Service, name: str) -> None:
    service.time += REMEMBERED_SECONDS + 1


@pytest.mark.parametrize(
    "happens",
    [
        pass_time,
        lambda service, name: service.delete(name),
        lambda service, name: service.patch(name, {"labels": []}),
        lambda service, name: service.patch(name, {"httpConfig": ROTATE}),
    ],
)
def test_an_equal_create_call_after_the_first_no_longer_counts_makes_another_connector(
    service: Service, happens: Callable[[Service, str], object]
) -> None:
    first = service.create()
    happens(service, first)
    second = service.create()
    assert second != first
    assert service.create() == second


def test_an_idempotency_record_reveals_nothing_of_the_secrets(
    service: Service,
) -> None:
    def remembered() -> list[dict[str, Any]]:
        return service.store._table.query(f"PROJECT#{service.project}", "CREATION#")

    service.create()
    (before,) = remembered()
    service.create({"httpConfig": BODY["httpConfig"] | {"signatureSecret": "two"}})
    (after,) = remembered()
    assert before["sk"] == after["sk"]
    assert set(after) == {"pk", "sk", "connector", "expiresAt"}
    assert int(after["expiresAt"]["N"]) == service.time + REMEMBERED_SECONDS


FIELDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"displayName": "mine"}, {"labels": ["theirs"]}),
    ({"labels": ["mine"]}, {"events": ["touch"]}),
    (
        {"httpConfig": {"headers": {"x-mine": "1"}}},
        {"httpConfig": {"signatureSecret": "theirs"}},
    ),
    ({"httpConfig": {"url": "https://example.com/mine"}}, {"displayName": "theirs"}),
    (
        {"httpConfig": {"standardWebhooks": True}},
        {"httpConfig": {"signatureSecret": "theirs"}},
    ),
    ({"status": "USER_DISABLED"}, {"httpConfig": {"headers": {"x-theirs": "1"}}}),
]


@pytest.mark.parametrize(("mine", "theirs"), [*FIELDS, *((b, a) for a, b in FIELDS)])
@pytest.mark.parametrize("point", ["before_read", "before_write"])
def test_two_concurrent_patches_lose_no_field(
    service: Service, mine: dict[str, Any], theirs: dict[str, Any], point: str
) -> None:
    name = service.create()
    getattr(service.store, point).append(lambda: service.patch(name, theirs))
    shown = service.patch(name, mine)
    assert service.connectors.get(service.project, name.rsplit("/")[-1], show_secrets=True) == shown
    for change in (mine, theirs):
        for field, value in change.items():
            if field == "httpConfig":
                assert shown[field] | value == shown[field]
            else:
                assert shown[field] == value


@pytest.mark.parametrize("point", ["before_read", "before_write"])
def test_a_rotation_keeps_the_secret_that_it_really_replaces(service: Service, point: str) -> None:
    """Another call may replace the secret between the read and the write of this one."""
    name = service.create()
    theirs = {"httpConfig": {"signatureSecret": "theirs"}}
    getattr(service.store, point).append(lambda: service.patch(name, theirs))
    service.patch(name, {"httpConfig": ROTATE})
    row = service.store.connector(name)
    assert row is not None
    secrets = open_secrets(row, service.connectors._vault)
    assert (secrets.signature_secret, secrets.previous_secret) == ("two", "theirs")


def test_a_rotation_that_is_sent_again_changes_nothing(service: Service) -> None:
    name = service.create()
    first = service.patch(name, {"httpConfig": ROTATE})
    row = service.store.connector(name)
    service.time += 3600
    assert service.patch(name, {"httpConfig": ROTATE}) == first
    assert service.store.connector(name) == row


def test_a_previous_secret_ends_by_the_clock_without_a_write(service: Service) -> None:
    name = service.create()
    shown = service.patch(name, {"httpConfig": ROTATE | {"previousSecretTtl": "60s"}})
    assert shown["httpConfig"]["previousSecretExpireTime"] == to_text(service.time + 60)
    row = service.store.connector(name)
    service.time += 60
    connector_id = name.rsplit("/")[-1]
    (listed,) = service.connectors.page(
        service.project, ListRequest("dataConnectors"), show_secrets=True
    )["dataConnectors"]
    got = service.connectors.get(service.project, connector_id, show_secrets=True)
    assert got == listed
    assert "previousSecretExpireTime" not in got["httpConfig"]
    assert service.store.connector(name) == row
    # The next rotation is not hindered by it, and what is over is no longer stored.
    again = {"signatureSecret": "three", "previousSecretTtl": "60s"}
    service.patch(name, {"httpConfig": again})
    written = service.store.connector(name)
    assert written is not None
    assert open_secrets(written, service.connectors._vault).previous_secret == "two"


def test_a_patch_fails_only_if_it_is_overtaken_every_time(service: Service) -> None:
    name = service.create()

    def overtake(times: int) -> None:
        if times:
            service.store.before_write.append(lambda: overtake(times - 1))
        ConnectorService.update(
            Service(service.project).connectors,
            service.project,
            name.rsplit("/")[-1],
            {"displayName": f"{times}"},
            None,
            ANOTHER,
        )

    service.store.before_write.append(lambda: overtake(3))
    assert service.patch(name, {"labels": ["mine"]})["labels"] == ["mine"]
    service.store.before_write.append(lambda: overtake(9))
    with pytest.raises(ConflictError, match="read it and try again"):
        service.patch(name, {"labels": ["lost"]})


def test_a_list_decrypts_secrets_in_parallel_and_each_once_in_half_a_minute(
    service: Service,
) -> None:
    for number in range(3):
        service.create(BODY | {"displayName": str(number)})
    fresh = Service(service.project)
    kms = fresh.connectors._vault._kms
    calls: list[Any] = []
    kms.meta.events.register("provide-client-params.kms.Decrypt", lambda **_: calls.append(1))
    for _ in range(2):
        answer = fresh.connectors.page(
            service.project, ListRequest("dataConnectors"), show_secrets=True
        )
        shown = answer["dataConnectors"]
        assert {one["httpConfig"]["signatureSecret"] for one in shown} == {"one"}
        assert len(shown) == 3
    assert len(calls) == 3
