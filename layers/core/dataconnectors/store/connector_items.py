"""Connectors as items of the table, both ways."""

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.store import keys
from dataconnectors.store.failing_items import FAILING_SINCE, read_failing
from dataconnectors.store.table import Item


def connector_item(connector: Connector) -> Item:
    """The item of a connector, without what the sender adds about failed attempts."""
    item = keys.connector_key(connector.project, connector.id) | {
        "displayName": {"S": connector.display_name},
        "status": {"S": connector.status.value},
        "eventTypes": {"L": [{"S": event_type} for event_type in connector.event_types]},
        "labels": {"L": [{"S": label} for label in connector.labels]},
        "url": {"S": connector.url},
        "lifecycle": {"S": connector.lifecycle.value},
        "epoch": {"N": str(connector.epoch)},
        "version": {"N": str(connector.version)},
        "queueId": {"S": connector.queue_id},
        "queueUrl": {"S": connector.queue_url},
        "mappingId": {"S": connector.mapping_id},
        "provisioned": {"S": connector.provisioned},
        "createTime": {"S": connector.create_time},
        "updateTime": {"S": connector.update_time},
    }
    if connector.sealed is not None:
        item["sealed"] = {"B": connector.sealed}
    if connector.disable_time:
        item["disableTime"] = {"S": connector.disable_time}
    if connector.is_paused:
        item["pausedAt"] = {"N": str(connector.paused_at)}
    return item


def read_connector(item: Item) -> Connector:
    """The connector of an item."""
    return Connector(
        project=item["pk"]["S"].removeprefix("PROJECT#"),
        id=item["sk"]["S"].removeprefix("CONNECTOR#"),
        display_name=item["displayName"]["S"],
        status=Status(item["status"]["S"]),
        event_types=tuple(entry["S"] for entry in item["eventTypes"]["L"]),
        labels=tuple(entry["S"] for entry in item["labels"]["L"]),
        url=item["url"]["S"],
        sealed=bytes(item["sealed"]["B"]) if "sealed" in item else None,
        lifecycle=Lifecycle(item["lifecycle"]["S"]),
        epoch=int(item["epoch"]["N"]),
        version=int(item["version"]["N"]),
        queue_id=item["queueId"]["S"],
        queue_url=item["queueUrl"]["S"],
        mapping_id=item["mappingId"]["S"],
        provisioned=item["provisioned"]["S"],
        create_time=item["createTime"]["S"],
        update_time=item["updateTime"]["S"],
        disable_time=item["disableTime"]["S"] if "disableTime" in item else "",
        paused_at=float(item["pausedAt"]["N"]) if "pausedAt" in item else 0.0,
        failing=read_failing(item) if FAILING_SINCE in item else None,
    )
