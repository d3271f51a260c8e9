"""The environment of each function as one immutable value, read once at cold start.

A missing or wrong variable raises a `SettingsError` that names it, so that a wrong deployment fails
at its first invocation and not at the first event that it would lose. These are named tuples
because each cold start creates all of the classes, and a named tuple takes a fifth of the time that
a frozen dataclass takes.
"""

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple, Self

from dataconnectors.kernel.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VISIBILITY_FACTOR = 6
"""AWS recommends a visibility timeout of six times the function's timeout, so that Lambda has time
to retry when it is throttled."""

MAXIMUM_ATTEMPT_TIMEOUT = 300
"""Seconds. A receiver that needs longer should answer first and work later: waiting is billed."""

SENDER_MARGIN = 8
"""Seconds of the sender's timeout that an attempt may not use. They are for the cold start, reading
the connector, KMS, and changing visibility timeouts at the end; each call has a shorter deadline of
its own (see `clients`)."""

DEADLINE_SLACK = 1.1
"""An attempt may overrun its deadline by a tenth: with little CPU, threads wake up late."""

MAXIMUM_LAMBDA_TIMEOUT = 900
"""Seconds. AWS: a function runs for 15 minutes at most."""

MAXIMUM_MAPPING_CONCURRENCY = 1000
"""AWS: MaximumConcurrency of an event source mapping is 2 to 1,000."""

MAXIMUM_REQUEST_LIMIT = 5000
"""Requests of a key in 5 seconds. AWS: an item takes 1,000 writes a second, and each request is
counted by one write to its key's item."""

MAXIMUM_DISABLE_AFTER_DAYS = 31
"""Days without a success. Longer ones would be longer than an event can be replayed."""

MAXIMUM_REPLAY_RATE = 1000
"""Messages a second. A run sends pages of a hundred, ten calls to SQS each, one after the other."""

MAXIMUM_REPLAY_CONCURRENCY = 100
"""Runs of replays at a time: a tenth of what a default account runs at once."""

ATTEMPT_LOGS = ("all", "sampled", "failures", "off")
"""Which attempts the attempt log has: see `delivery.attempt_log.LogMode`."""

MAXIMUM_ONE_IN = 1_000_000
"""Successes for one that is in the attempt log."""

LONGEST_STACK_NAME = 57
"""Characters. AWS: a queue's name has 80 at most, and ours is `{stack}-c-{20 characters}`."""

MAXIMUM_TAGS = 30
"""AWS: a resource has 50 tags at most. A queue has two of ours, and those that AWS adds."""

RESERVED_TAGS = ("aws:", "dataconnectors:")
"""How the keys of AWS's tags begin, and of ours."""


class IngestSettings(NamedTuple):
    """What the ingest function needs.

    `stack` is the stack's name, which is also the namespace of its metrics. `keep_history` says
    whether events are stored so that the API can return them.
    """

    table_name: str
    stack: str
    keep_history: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            stack=_required(env, "STACK_NAME"),
            keep_history=_boolean(env, "KEEP_HISTORY", "true"),
        )


class TableSettings(NamedTuple):
    """What a function needs that only reads the table and sends what it found: labels and sync."""

    table_name: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(table_name=_required(env, "TABLE_NAME"))


class AdminSettings(NamedTuple):
    """What the admin function needs: the table, and the KMS key that encrypts secrets."""

    table_name: str
    kms_key_arn: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"), kms_key_arn=_required(env, "KMS_KEY_ARN")
        )


class ReplaySettings(NamedTuple):
    """What the function needs that runs replays.

    `rate` is in messages a second; `maximum_concurrency` is that of each connector's mapping.
    """

    table_name: str
    rate: float
    maximum_concurrency: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            rate=_number(env, "REPLAY_RATE", 1, MAXIMUM_REPLAY_RATE),
            maximum_concurrency=_maximum_concurrency(env),
        )


class StartReplaySettings(NamedTuple):
    """What a function needs that starts runs of replays.

    `function` is the ARN of the function that runs one; `concurrency` of them run at a time.
    """

    function: str
    concurrency: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            function=_required(env, "REPLAY_FUNCTION"),
            concurrency=int(_number(env, "REPLAY_CONCURRENCY", 1, MAXIMUM_REPLAY_CONCURRENCY)),
        )


class AttemptLogSettings(NamedTuple):
    """What the attempt log has: `mode` is one of `ATTEMPT_LOGS`, and in the mode `sampled` one
    success in `one_in` is logged."""

    mode: str
    one_in: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        mode = _required(env, "ATTEMPT_LOG")
        if mode not in ATTEMPT_LOGS:
            raise SettingsError(f"ATTEMPT_LOG is {mode!r}, expected {', '.join(ATTEMPT_LOGS)}")
        return cls(mode, int(_number(env, "ATTEMPT_LOG_ONE_IN", 1, MAXIMUM_ONE_IN)))


class SenderSettings(NamedTuple):
    """What the sender needs. Timeouts are in seconds.

    `stack` is the stack's name, which is also the namespace of its metrics. `attempt_timeout` is
    the deadline of one whole attempt. `allowed_networks` are the private networks that endpoints
    may be in. `trusted_authorities_file` is a PEM file of authorities that are trusted in addition
    to certifi's. Both are empty unless the deployer has private endpoints.
    `dead_letter_queue_arn` names the queue for messages that nothing can be done with.
    `disable_on_gone` says whether HTTP 410 disables a connector.
    """

    table_name: str
    stack: str
    dead_letter_queue_arn: str
    attempt_timeout: float
    function_timeout: int
    allowed_networks: tuple[Network, ...]
    trusted_authorities_file: str
    acknowledge_any_2xx: bool
    disable_on_gone: bool
    attempt_log: AttemptLogSettings

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable.

        Refuses a deadline that does not fit the function's timeout: Lambda would stop the function
        in the middle of a batch, and every event of the batch would be sent again.
        """
        attempt_timeout = _number(env, "ATTEMPT_TIMEOUT", 1, MAXIMUM_ATTEMPT_TIMEOUT)
        function_timeout = _function_timeout(env)
        needed = attempt_timeout * DEADLINE_SLACK + SENDER_MARGIN
        if needed > function_timeout:
            raise SettingsError(
                f"ATTEMPT_TIMEOUT {attempt_timeout:g} does not fit FUNCTION_TIMEOUT "
                f"{function_timeout}: the function needs at least {needed:g} seconds"
            )
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            stack=_required(env, "STACK_NAME"),
            dead_letter_queue_arn=_required(env, "DEAD_LETTER_QUEUE_ARN"),
            attempt_timeout=attempt_timeout,
            function_timeout=function_timeout,
            allowed_networks=_networks(env, "ALLOWED_NETWORKS"),
            trusted_authorities_file=env.get("TRUSTED_AUTHORITIES_FILE", ""),
            acknowledge_any_2xx=_boolean(env, "ACKNOWLEDGE_ANY_2XX"),
            disable_on_gone=_boolean(env, "DISABLE_ON_GONE"),
            attempt_log=AttemptLogSettings.from_env(env),
        )


class TryOutSettings(NamedTuple):
    """What the function needs that plays a receiver.

    `attempt_timeout` is the deadline of one attempt of the sender, in seconds.
    """

    table_name: str
    attempt_timeout: float

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            attempt_timeout=_number(env, "ATTEMPT_TIMEOUT", 1, MAXIMUM_ATTEMPT_TIMEOUT),
        )


class QueueSettings(NamedTuple):
    """How each connector's queue and event source mapping are made, from the stack's parameters.

    `visibility_timeout` is in seconds. `sender_arn` is that of the sender's `live` alias, so that a
    deployment switches all mappings to the new version at once. `tags` are the deployer's, as pairs
    of key and value.
    """

    stack: str
    sender_arn: str
    visibility_timeout: int
    maximum_concurrency: int
    tags: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        stack = _required(env, "STACK_NAME")
        if len(stack) > LONGEST_STACK_NAME:
            raise SettingsError(
                f"STACK_NAME {stack} has {len(stack)} characters, {LONGEST_STACK_NAME} at most"
            )
        return cls(
            stack=stack,
            sender_arn=_required(env, "SENDER_ARN"),
            visibility_timeout=VISIBILITY_FACTOR * _function_timeout(env),
            maximum_concurrency=_maximum_concurrency(env),
            tags=_tags(env, "RESOURCE_TAGS"),
        )


class ApiSettings(NamedTuple):
    """What the config API needs.

    `request_limit` is how many requests a key may make in a window of `identity.throttle`; 0 means
    any number. `token_audiences` are further URLs of the token endpoint: the URL with the host name
    of a request is always one. `try_out` says whether the stack has the function that plays a
    receiver, `people_sign_in` whether it has an OpenID provider.
    """

    table_name: str
    kms_key_arn: str
    queues: QueueSettings
    sync_function: str
    replays: StartReplaySettings
    keep_history: bool
    allowed_networks: tuple[Network, ...]
    request_limit: int
    token_audiences: tuple[str, ...]
    attempt_log: AttemptLogSettings
    try_out: bool
    people_sign_in: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            kms_key_arn=_required(env, "KMS_KEY_ARN"),
            queues=QueueSettings.from_env(env),
            sync_function=_required(env, "SYNC_FUNCTION"),
            replays=StartReplaySettings.from_env(env),
            keep_history=_boolean(env, "KEEP_HISTORY", "true"),
            allowed_networks=_networks(env, "ALLOWED_NETWORKS"),
            request_limit=int(_number(env, "REQUEST_LIMIT", 0, MAXIMUM_REQUEST_LIMIT)),
            token_audiences=_entries(env, "TOKEN_AUDIENCES"),
            attempt_log=AttemptLogSettings.from_env(env),
            try_out=_boolean(env, "TRY_OUT"),
            people_sign_in=bool(env.get("OIDC_ISSUER", "")),
        )


class ReconcilerSettings(NamedTuple):
    """What the reconciler needs.

    `disable_after_days` is after how many days without a success a connector is disabled, 0 for
    never. `notice_topic` is the ARN of the SNS topic that gets notices, "" for none.
    """

    table_name: str
    queues: QueueSettings
    disable_after_days: int
    notice_topic: str
    replays: StartReplaySettings

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; raises a `SettingsError` that names the wrong variable."""
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            queues=QueueSettings.from_env(env),
            disable_after_days=int(
                _number(env, "DISABLE_AFTER_DAYS", 0, MAXIMUM_DISABLE_AFTER_DAYS)
            ),
            notice_topic=env.get("NOTICE_TOPIC_ARN", ""),
            replays=StartReplaySettings.from_env(env),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: deploy the functions from template.yaml")
    return value


def _number(env: Mapping[str, str], name: str, low: int, high: int) -> float:
    text = _required(env, name)
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}, expected a number") from None
    if not low <= value <= high:
        raise SettingsError(f"{name} is {text}, expected {low} to {high}")
    return value


def _maximum_concurrency(env: Mapping[str, str]) -> int:
    return int(_number(env, "MAXIMUM_CONCURRENCY", 2, MAXIMUM_MAPPING_CONCURRENCY))


def _function_timeout(env: Mapping[str, str]) -> int:
    return int(_number(env, "FUNCTION_TIMEOUT", 1, MAXIMUM_LAMBDA_TIMEOUT))


def _boolean(env: Mapping[str, str], name: str, default: str = "false") -> bool:
    text = env.get(name, default)
    if text not in ("true", "false"):
        raise SettingsError(f"{name} is {text!r}, expected true or false")
    return text == "true"


def _entries(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    entries = [entry.strip() for entry in env.get(name, "").split(",")]
    return tuple(entry for entry in entries if entry)


def _tags(env: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    tags = []
    for entry in _entries(env, name):
        key, separator, value = entry.partition("=")
        if not key or not separator or key.startswith(RESERVED_TAGS):
            raise SettingsError(
                f"{name}: {entry!r}, expected key=value, and a key that does not begin with "
                f"{' or '.join(RESERVED_TAGS)}"
            )
        tags.append((key, value))
    if len(tags) > MAXIMUM_TAGS:
        raise SettingsError(f"{name} has {len(tags)} tags, {MAXIMUM_TAGS} at most")
    return tuple(tags)


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(entry) for entry in _entries(env, name))
    except ValueError as error:
        raise SettingsError(f"{name}: {error}, expected networks such as 10.0.0.0/8") from None
