"""The primary key of each kind of item: its partition key `pk` and its sort key `sk`.

Items that exist are found by these texts, so they must stay as they are.
"""

import zlib

from dataconnectors.store.table import Item

DEVICE_SHARDS = 16
"""Partitions that the devices of a project are spread over. AWS: one takes 3,000 reads a second;
ingest reads a device for every event. With another number, existing devices would not be found."""

HIGHEST = "~"
"""Sorts after every character of ids, times and event types: ends a range of sort keys."""


def project_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "PROJECT"}}


def version_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "VERSION"}}


def connector_key(project_id: str, connector_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"CONNECTOR#{connector_id}"}}


def tombstone_key(project_id: str, connector_id: str) -> Item:
    """The item that says that a connector existed. Lists of connectors do not read it."""
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"TOMBSTONE#{connector_id}"}}


def device_shard(device_id: str) -> int:
    """Index of the device's partition in `device_partitions`."""
    return zlib.crc32(device_id.encode()) % DEVICE_SHARDS


def idempotency_record_key(project_id: str, digest: str) -> Item:
    """The idempotency record of a call that created a connector."""
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
    """The key of a project or an organization. `parent` is its resource name."""
    kind, _, name = parent.partition("/")
    return project_key(name) if kind == "projects" else organization_key(parent)


def access_partition(parent: str) -> str:
    """Holds the members of a project or an organization, and a project's service accounts.

    `parent` is a resource name.
    """
    return f"ACCESS#{parent}"


def member_key(parent: str, member_id: str) -> Item:
    return {"pk": {"S": access_partition(parent)}, "sk": {"S": f"MEMBER#{member_id}"}}


def service_account_key(project_id: str, account_id: str) -> Item:
    return {
        "pk": {"S": access_partition(f"projects/{project_id}")},
        "sk": {"S": f"SERVICEACCOUNT#{account_id}"},
    }


def membership_partition(member_id: str) -> str:
    """Holds what somebody is a member of."""
    return f"MEMBER#{member_id}"


def membership_key(member_id: str, parent: str) -> Item:
    """The item that leads from a member to a project or organization, to list these by member."""
    return {"pk": {"S": membership_partition(member_id)}, "sk": {"S": parent}}


PARENTS = ("organizations/", f"projects/{HIGHEST}")
"""The range of the sort keys of memberships: resource names of organizations and projects."""


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
    """Holds the audit log of a project or an organization, whose resource name `log` is."""
    return f"AUDIT#{log}"


def device_partitions(project_id: str) -> list[str]:
    """Hold the devices of a project and their last values."""
    return [f"DEVICES#{project_id}#{shard}" for shard in range(DEVICE_SHARDS)]


def last_value_key(project_id: str, device_id: str, event_type: str) -> Item:
    """Sorts after its device's item and before the next one's: ids have no character below `#`."""
    key = device_key(project_id, device_id)
    return {"pk": key["pk"], "sk": {"S": f"{key['sk']['S']}#{event_type}"}}


def history_partition(project_id: str, device_id: str) -> str:
    """Holds the history of one device. One partition could not take all writes of a project."""
    return f"HISTORY#{project_id}#{device_id}"


LATEST = 10**16 - 1
"""Microseconds: a time in the year 2286. A number with more digits would sort before all others."""


def history_sort(timestamp: float, event_id: str = "") -> str:
    """A sort key that sorts by time, then by id. `timestamp` is in epoch seconds.

    It has 16 digits of microseconds. A time that does not fit sorts as the first or the last one.
    """
    return f"{min(max(micros(timestamp), 0), LATEST):016d}#{event_id}"


PENDING_ANNOUNCEMENTS = "NOTICES"
"""The partition that counts expired events to announce, with an item for each connector."""

ACCOUNTED_HOUR: Item = {"pk": {"S": "ACCOUNTED"}, "sk": {"S": "ACCOUNTED"}}
"""The item with the hour that was accounted for last: see `expiry.accounting`."""


def pending_announcement_key(connector: str) -> Item:
    """`connector` is a resource name."""
    return {"pk": {"S": PENDING_ANNOUNCEMENTS}, "sk": {"S": connector}}


FAILING_CONNECTORS = "FAILING"
"""The partition that lists connectors that have been failing for a minute or more."""


def failing_connector_key(connector: str) -> Item:
    """`connector` is a resource name."""
    return {"pk": {"S": FAILING_CONNECTORS}, "sk": {"S": connector}}


def expired_partition(connector: str) -> str:
    """Holds the records of a connector's expired events. `connector` is a resource name.

    One partition suffices. AWS: at most 120,000 messages of a queue are in flight. Each waits up to
    an hour for its last attempt, so about 33 records are written in a second.
    """
    return f"EXPIRED#{connector}"


def replay_partition(connector: str) -> str:
    """Holds the replays of a connector, whose sort keys are their ids. `connector` is a name."""
    return f"REPLAYS#{connector}"


def replay_key(connector: str, replay_id: str) -> Item:
    return {"pk": {"S": replay_partition(connector)}, "sk": {"S": replay_id}}


UNFINISHED_REPLAYS = "REPLAYING"
"""The partition that names the replay of each connector that has one running."""


def unfinished_replay_key(connector: str) -> Item:
    """There is one for each connector, so a connector has one running replay at most."""
    return {"pk": {"S": UNFINISHED_REPLAYS}, "sk": {"S": connector}}


def try_out_partition(project_id: str) -> str:
    """Holds the addresses of a project that connectors can be tried with."""
    return f"TRYOUTS#{project_id}"


def try_out_key(project_id: str, try_out_id: str) -> Item:
    return {"pk": {"S": try_out_partition(project_id)}, "sk": {"S": try_out_id}}


def try_out_deliveries_partition(try_out_id: str) -> str:
    """Holds the last deliveries to one address, in places that are used again and again."""
    return f"TRYOUT#{try_out_id}"


def request_count_key(key_id: str, window: int) -> Item:
    """The item that counts the requests of an account key in a window of `identity.throttle`."""
    return {"pk": {"S": f"REQUESTS#{key_id}"}, "sk": {"S": str(window)}}


ATTEMPT_COUNT_SHARDS = 8
"""Items over which the attempts of a connector in one minute are spread. AWS: an item takes 1,000
writes a second. Fifty senders whose batches take 85 ms make 590. A reader makes a Query for each
shard."""


def attempt_counts_key(connector: str, shard: int, minute: int) -> Item:
    """`connector` is a resource name, and `minute` counts from the epoch.

    template.yaml lets the sender write keys that begin with `METRICS#`, among few others.
    """
    return {"pk": {"S": f"METRICS#{connector}#{shard}"}, "sk": {"S": f"{minute:09d}"}}


ATTEMPT_SHARDS = 4
"""Partitions that a connector's attempt log is spread over. AWS: one takes 1,000 writes a second.
A sender writes 10 entries a second to one of them, so 400 senders write to four at most. A reader
makes a Query for each."""


def attempts_partition(connector: str, shard: int) -> str:
    """Holds entries of a connector's attempt log by time. `connector` is a resource name.

    template.yaml lets the sender write keys that begin with `ATTEMPTS#`, among few others.
    """
    return f"ATTEMPTS#{connector}#{shard}"


def event_attempts_partition(connector: str, event_id: str) -> str:
    """Holds the attempts of one event for a connector, by time, with request and answer.

    A shard's number is never taken for an event: ids have no `#`.
    """
    return f"ATTEMPTS#{connector}#EVENT#{event_id}"


def micros(timestamp: float) -> int:
    """Epoch seconds as whole microseconds, to which a double is exact for today's times."""
    return round(timestamp * 1_000_000)
