"""A wrong deployment fails when a function starts, and the error names the variable."""

from ipaddress import ip_network

import pytest

from dataconnectors.aws.settings import (
    AdminSettings,
    ApiSettings,
    AttemptLogSettings,
    IngestSettings,
    QueueSettings,
    ReconcilerSettings,
    ReplaySettings,
    SenderSettings,
    StartReplaySettings,
    TableSettings,
)
from dataconnectors.kernel.errors import SettingsError

ENV = {
    "TABLE_NAME": "dc-table",
    "KMS_KEY_ARN": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "STACK_NAME": "dc",
    "SENDER_ARN": "arn:aws:lambda:eu-west-1:111122223333:function:dc-sender:live",
    "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:eu-west-1:111122223333:dc-dead-letters",
    "SYNC_FUNCTION": "arn:aws:lambda:eu-west-1:111122223333:function:dc-sync",
    "REPLAY_FUNCTION": "arn:aws:lambda:eu-west-1:111122223333:function:dc-replay",
    "REPLAY_CONCURRENCY": "5",
    "REPLAY_RATE": "100",
    "ATTEMPT_TIMEOUT": "10",
    "FUNCTION_TIMEOUT": "30",
    "MAXIMUM_CONCURRENCY": "50",
    "DISABLE_AFTER_DAYS": "5",
    "REQUEST_LIMIT": "25",
    "ATTEMPT_LOG": "sampled",
    "ATTEMPT_LOG_ONE_IN": "100",
}

LOG = AttemptLogSettings("sampled", 100)

Settings = (
    AdminSettings
    | ApiSettings
    | IngestSettings
    | QueueSettings
    | ReconcilerSettings
    | ReplaySettings
    | SenderSettings
    | StartReplaySettings
    | TableSettings
)


def test_the_sender_defaults_are_the_strict_ones() -> None:
    settings = SenderSettings.from_env(ENV)
    assert settings == SenderSettings(
        "dc-table", "dc", ENV["DEAD_LETTER_QUEUE_ARN"], 10.0, 30, (), "", False, False, LOG
    )


def test_the_senders_settings_are_read_from_the_environment() -> None:
    settings = SenderSettings.from_env(
        ENV
        | {
            "ALLOWED_NETWORKS": "127.0.0.0/8, fd00::/8,",
            "TRUSTED_AUTHORITIES_FILE": "ca.pem",
            "ACKNOWLEDGE_ANY_2XX": "true",
            "DISABLE_ON_GONE": "true",
        }
    )
    assert settings.allowed_networks == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.trusted_authorities_file == "ca.pem"
    assert settings.acknowledge_any_2xx
    assert settings.disable_on_gone


def test_token_audiences_are_read_from_a_comma_separated_list() -> None:
    assert ApiSettings.from_env(ENV | {"TOKEN_AUDIENCES": ""}).token_audiences == ()
    listed = ApiSettings.from_env(ENV | {"TOKEN_AUDIENCES": "https://a/token, https://b/token"})
    assert listed.token_audiences == ("https://a/token", "https://b/token")


def test_the_queues_visibility_timeout_is_six_times_the_senders() -> None:
    assert QueueSettings.from_env(ENV).visibility_timeout == 180
    assert ApiSettings.from_env(ENV).queues == ReconcilerSettings.from_env(ENV).queues


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (IngestSettings, ["TABLE_NAME", "STACK_NAME"]),
        (TableSettings, ["TABLE_NAME"]),
        (AdminSettings, ["TABLE_NAME", "KMS_KEY_ARN"]),
        (
            SenderSettings,
            [
                "TABLE_NAME",
                "STACK_NAME",
                "DEAD_LETTER_QUEUE_ARN",
                "ATTEMPT_TIMEOUT",
                "FUNCTION_TIMEOUT",
                "ATTEMPT_LOG",
                "ATTEMPT_LOG_ONE_IN",
            ],
        ),
        (QueueSettings, ["STACK_NAME", "SENDER_ARN", "FUNCTION_TIMEOUT", "MAXIMUM_CONCURRENCY"]),
        (
            ApiSettings,
            ["TABLE_NAME", "KMS_KEY_ARN", "STACK_NAME", "SYNC_FUNCTION", "REQUEST_LIMIT"],
        ),
        (ReconcilerSettings, ["TABLE_NAME", "STACK_NAME", "REPLAY_FUNCTION"]),
        (ReplaySettings, ["TABLE_NAME", "REPLAY_RATE", "MAXIMUM_CONCURRENCY"]),
        (StartReplaySettings, ["REPLAY_FUNCTION", "REPLAY_CONCURRENCY"]),
    ],
)
def test_a_missing_variable_is_named(kind: type[Settings], names: list[str]) -> None:
    kind.from_env(ENV)
    for name in names:
        for missing in ({key: ENV[key] for key in ENV if key != name}, ENV | {name: ""}):
            with pytest.raises(SettingsError, match=f"{name} is not set"):
                kind.from_env(missing)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ATTEMPT_TIMEOUT": "ten"}, "ATTEMPT_TIMEOUT is 'ten', expected a number"),
        ({"ATTEMPT_TIMEOUT": "0.5"}, "ATTEMPT_TIMEOUT is 0.5, expected 1 to 300"),
        ({"ATTEMPT_TIMEOUT": "nan"}, "ATTEMPT_TIMEOUT is nan, expected 1 to 300"),
        ({"FUNCTION_TIMEOUT": "901"}, "FUNCTION_TIMEOUT is 901, expected 1 to 900"),
        (
            {"FUNCTION_TIMEOUT": "18"},
            "ATTEMPT_TIMEOUT 10 does not fit FUNCTION_TIMEOUT 18: the function needs at least 19",
        ),
        ({"ALLOWED_NETWORKS": "10.0.0.1/8"}, "ALLOWED_NETWORKS: 10.0.0.1/8 has host bits set"),
        ({"DISABLE_ON_GONE": "1"}, "DISABLE_ON_GONE is '1', expected true or false"),
        (
            {"ATTEMPT_LOG": "some"},
            "ATTEMPT_LOG is 'some', expected all, sampled, failures, off",
        ),
        ({"ATTEMPT_LOG_ONE_IN": "0"}, "ATTEMPT_LOG_ONE_IN is 0, expected 1 to 1000000"),
        ({"ACKNOWLEDGE_ANY_2XX": "yes"}, "ACKNOWLEDGE_ANY_2XX is 'yes', expected true or false"),
    ],
)
def test_an_invalid_setting_of_the_sender_is_named(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        SenderSettings.from_env(ENV | changes)
    assert str(caught.value).startswith(problem)


def test_the_shortest_function_timeout_that_fits_is_accepted() -> None:
    assert SenderSettings.from_env(ENV | {"FUNCTION_TIMEOUT": "19"}).function_timeout == 19


def test_history_is_kept_by_default() -> None:
    assert IngestSettings.from_env(ENV).keep_history
    assert IngestSettings.from_env(ENV | {"KEEP_HISTORY": "true"}).keep_history
    assert not IngestSettings.from_env(ENV | {"KEEP_HISTORY": "false"}).keep_history
    with pytest.raises(SettingsError, match="KEEP_HISTORY is 'no'"):
        IngestSettings.from_env(ENV | {"KEEP_HISTORY": "no"})


def test_tags_are_pairs_of_key_and_value() -> None:
    assert QueueSettings.from_env(ENV).tags == ()
    given = {"RESOURCE_TAGS": "team=iot, cost center=a=b,empty="}
    expected = (("team", "iot"), ("cost center", "a=b"), ("empty", ""))
    assert QueueSettings.from_env(ENV | given).tags == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"MAXIMUM_CONCURRENCY": "1"},
        {"MAXIMUM_CONCURRENCY": "1001"},
        {"STACK_NAME": "s" * 58},
        {"RESOURCE_TAGS": "team"},
        {"RESOURCE_TAGS": "=iot"},
        {"RESOURCE_TAGS": "aws:team=iot"},
        {"RESOURCE_TAGS": "dataconnectors:stack=other"},
        {"RESOURCE_TAGS": ",".join(f"{number}=x" for number in range(31))},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_queue_setting_that_aws_refuses_is_named(changes: dict[str, str]) -> None:
    (name,) = changes
    with pytest.raises(SettingsError, match=name):
        QueueSettings.from_env(ENV | changes)
