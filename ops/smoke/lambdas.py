"""What Lambda says of the stack's functions: stopped, mapped to queues, slow to start."""

import time

from botocore.exceptions import BotoCoreError, ClientError

from ops.smoke.report import Report, listed, one_line
from ops.smoke.target import Target
from ops.smoke.timer import ARRIVAL_S, Timer

MAY_RUN = "its functions may run"
ENABLED = "the connector's mapping is enabled"
COLD = "cold starts of the functions"

INIT_WINDOW_S = 900
"""Seconds back in which cold starts of the stack's functions are looked for in their logs."""


def check_may_run(target: Target, report: Report) -> bool:
    """Whether nobody has stopped a function: nothing else would say why nothing happens.

    `make destroy` stops some, and leaves them so when it refuses late or is interrupted;
    docs/restore.md has the reconciler stopped.
    """
    functions = target.session.client("lambda")
    try:
        stopped = sorted(
            name
            for name, function in target.resources("AWS::Lambda::Function").items()
            if functions.get_function_concurrency(FunctionName=function).get(
                "ReservedConcurrentExecutions"
            )
            == 0
        )
    except (ClientError, BotoCoreError) as error:
        report.add(MAY_RUN, "not reachable", one_line(error))
        return True
    if not stopped:
        report.add(MAY_RUN, "yes")
        return True
    have = "has" if len(stopped) == 1 else "have"
    report.add(
        MAY_RUN,
        "no",
        f"{', '.join(stopped)} {have} a reserved concurrency of 0: "
        "`aws lambda delete-function-concurrency --function-name ...` lets it run again",
    )
    return False


def mappings(target: Target) -> set[str]:
    """The ids of the stack's event source mappings."""
    pages = target.session.client("lambda").get_paginator("list_event_source_mappings")
    return {
        each["UUID"]
        for page in pages.paginate(FunctionName=target.outputs()["SenderAliasArn"])
        for each in page["EventSourceMappings"]
    }


def check_mapping(target: Target, before: set[str], timer: Timer, report: Report) -> None:
    """Measure how long the new connector's mapping takes to become enabled.

    `before` are the stack's mappings from before the connector was made.
    """
    functions = target.session.client("lambda")
    began = timer.elapsed
    made: set[str] = set()

    def states() -> list[str]:
        nonlocal made
        # Others may make connectors at the same time: the last of the new ones counts.
        made = made or mappings(target) - before
        return [functions.get_event_source_mapping(UUID=each)["State"] for each in made]

    seen = timer.wait(states, _are_enabled)
    if _are_enabled(seen):
        details = f"{timer.elapsed - began:.1f} s after the connector was made"
        report.add(ENABLED, "yes", details)
    else:
        report.add(ENABLED, "no", f"after {ARRIVAL_S:g} s: {', '.join(seen)}")


def _are_enabled(states: list[str]) -> bool:
    return bool(states) and all(state == "Enabled" for state in states)


def check_cold_starts(target: Target, report: Report) -> None:
    """Read from Lambda's reports how long the functions' inits took."""
    logs = target.session.client("logs")
    since = int((time.time() - INIT_WINDOW_S) * 1000)
    found: dict[str, float] = {}
    try:
        for name, group in target.resources("AWS::Logs::LogGroup").items():
            answer = logs.filter_log_events(
                logGroupName=group, startTime=since, filterPattern='"Init Duration"', limit=100
            )
            durations = [
                float(event["message"].split("Init Duration: ")[1].split()[0])
                for event in answer["events"]
                if "Init Duration: " in event["message"]
            ]
            if durations:
                found[name.removesuffix("LogGroup")] = max(durations)
    except (ClientError, BotoCoreError, ValueError) as error:
        report.add(COLD, "not reachable", one_line(error))
        return
    if not found:
        report.add(COLD, "not reachable", "the logs report no cold start of late")
        return
    report.add(COLD, "yes", listed({name: f"{ms:.0f} ms" for name, ms in found.items()}))
