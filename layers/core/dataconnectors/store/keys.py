"""Where each kind of item is in the table."""

import zlib

from dataconnectors.store.table import Item

DEVICE_SHARDS = 16
"""Partitions of a project's devices: one takes 3,000 reads a second, and ingest reads a device for
every event. Changing it would lose sight of the devices stored before."""


def project_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "PROJECT"}}


def version_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "VERSION"}}


def connector_key(project_id: str, connector_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"CONNECTOR#{connector_id}"}}


def device_key(project_id: str, device_id: str) -> Item:
    shard = zlib.crc32(device_id.encode()) % DEVICE_SHARDS
    return {"pk": {"S": f"DEVICES#{project_id}#{shard}"}, "sk": {"S": f"DEVICE#{device_id}"}}


def account_key_key(key_id: str) -> Item:
    return {"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}}


def member_key(project_id: str, email: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"MEMBER#{email}"}}
