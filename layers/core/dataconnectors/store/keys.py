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


def tombstone_key(project_id: str, connector_id: str) -> Item:
    """What is left of a connector; no list of connectors looks there."""
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"TOMBSTONE#{connector_id}"}}


def device_shard(device_id: str) -> int:
    """Which of `device_partitions` holds a device."""
    return zlib.crc32(device_id.encode()) % DEVICE_SHARDS


def idempotency_record_key(project_id: str, digest: str) -> Item:
    """What is remembered of a create call of a connector."""
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"CREATION#{digest}"}}


def device_key(project_id: str, device_id: str) -> Item:
    partition = device_partitions(project_id)[device_shard(device_id)]
    return {"pk": {"S": partition}, "sk": {"S": f"DEVICE#{device_id}"}}


def primary_key_of_account_key(key_id: str) -> Item:
    return {"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}}


def organization_key(organization: str) -> Item:
    return {"pk": {"S": organization_partition(organization)}, "sk": {"S": "ORGANIZATION"}}


def organization_project_key(organization: str, project_id: str) -> Item:
    return {"pk": {"S": organization_partition(organization)}, "sk": {"S": f"PROJECT#{project_id}"}}


def organization_partition(organization: str) -> str:
    """`organization` is a resource name, `organizations/{id}`."""
    return f"ORGANIZATION#{organization.rpartition('/')[2]}"


def parent_key(parent: str) -> Item:
    """The item of a project or an organization, by its resource name."""
    kind, _, name = parent.partition("/")
    return project_key(name) if kind == "projects" else organization_key(parent)


def access_partition(parent: str) -> str:
    """The members of a project or an organization, and a project's service accounts."""
    return f"ACCESS#{parent}"


def member_key(parent: str, member_id: str) -> Item:
    return {"pk": {"S": access_partition(parent)}, "sk": {"S": f"MEMBER#{member_id}"}}


def service_account_key(project_id: str, account_id: str) -> Item:
    return {
        "pk": {"S": access_partition(f"projects/{project_id}")},
        "sk": {"S": f"SERVICEACCOUNT#{account_id}"},
    }


def membership_key(member_id: str, parent: str) -> Item:
    """The way back: of what somebody is a member."""
    return {"pk": {"S": f"MEMBER#{member_id}"}, "sk": {"S": parent}}


SIGNING_KEY_PARTITION = "TOKENKEYS"
"""The partition of the keys that sign access tokens."""

SIGNING_KEY_PREFIX = "TOKENKEY#"
"""Begins the sort key of a signing key; its id follows."""


def primary_key_of_signing_key(key_id: str) -> Item:
    return {
        "pk": {"S": SIGNING_KEY_PARTITION},
        "sk": {"S": f"{SIGNING_KEY_PREFIX}{key_id}"},
    }


def audit_partition(log: str) -> str:
    """The log of a project or an organization, by its resource name."""
    return f"AUDIT#{log}"


def device_partitions(project_id: str) -> list[str]:
    """The partitions that hold a project's devices and their last values."""
    return [f"DEVICES#{project_id}#{shard}" for shard in range(DEVICE_SHARDS)]


def last_value_key(project_id: str, device_id: str, event_type: str) -> Item:
    """After its device's row and before the next device's: ids have no character below `#`."""
    key = device_key(project_id, device_id)
    return {"pk": key["pk"], "sk": {"S": f"{key['sk']['S']}#{event_type}"}}


def history_partition(project_id: str, device_id: str) -> str:
    """A partition for each device: no partition takes a whole project's writes."""
    return f"HISTORY#{project_id}#{device_id}"


def history_sort(timestamp: float, event_id: str = "") -> str:
    """Sorts by time (epoch seconds, kept to the microsecond), then by id.

    What 16 digits have no room for is before, or after, everything that there is.
    """
    return f"{min(max(micros(timestamp), 0), LATEST):016d}#{event_id}"


LATEST = 10**16 - 1
"""Microseconds: in the year 2286. A digit more would sort before all the others."""


NOTICES = "NOTICES"
"""The partition of expired events that are to be announced: an item for each connector."""


ACCOUNTED: Item = {"pk": {"S": "ACCOUNTED"}, "sk": {"S": "ACCOUNTED"}}
"""The item that says which hour was accounted for last: see `balance`."""


def notice_key(connector: str) -> Item:
    """`connector` is a resource name."""
    return {"pk": {"S": NOTICES}, "sk": {"S": connector}}


def expired_partition(connector: str) -> str:
    """The records of a connector's expired events, by its resource name. SQS has 120,000 messages
    of a queue in flight at most, and each waits up to an hour for its last attempt: about 33
    records a second."""
    return f"EXPIRED#{connector}"


def request_count_key(key_id: str, window: int) -> Item:
    """The counter of an account key's requests in a window of time."""
    return {"pk": {"S": f"REQUESTS#{key_id}"}, "sk": {"S": str(window)}}


ATTEMPT_COUNT_SHARDS = 8
"""Items that a connector's attempts of one minute are counted in: one takes 1,000 writes a second.
Fifty senders that are done in 85 ms make 590; a reader makes a Query for each."""


def attempt_counts_key(connector: str, shard: int, minute: int) -> Item:
    """`connector` is a resource name, `minute` counts from the epoch.

    The sender may write keys that begin with `METRICS#`, and no others (template.yaml).
    """
    return {"pk": {"S": f"METRICS#{connector}#{shard}"}, "sk": {"S": f"{minute:09d}"}}


def micros(timestamp: float) -> int:
    """Epoch seconds as whole microseconds, in which a double of today is still exact."""
    return round(timestamp * 1_000_000)
