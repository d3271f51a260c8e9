"""`make compare`: every contender in turn, and a table of what each did.

    python -m bench.compare [CONTENDER…]

CONTENDERs are ours, sample, celery and bullmq; without any, all run. Takes a quarter of an hour,
and connects to loopback only. The exit status is 1 when a contender could not be measured.
"""

import argparse
import dataclasses
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from bench.__main__ import machine
from bench.compare.contender import Contender, Place, Receiver
from bench.compare.conversation import ConversationError
from bench.compare.lambdas import Ours, Sample
from bench.compare.queues import BullMq, Celery
from bench.compare.redis_server import RedisError, find
from bench.compare.scenarios import Result, ScenarioError, run
from bench.compare.table import lines
from bench.report import BUSY, OtherWork
from client.http import CallError
from local.emulator import EmulatorError

CONTENDERS: dict[str, Callable[[Place], Contender]] = {
    "ours": Ours,
    "sample": Sample,
    "celery": Celery,
    "bullmq": BullMq,
}
WITH_REDIS = {"celery", "bullmq"}

LOGS = Path(".local/compare").absolute()
"""Where everything writes, until the next run."""

ERRORS = (
    BotoCoreError,
    CallError,
    ClientError,
    ConversationError,
    EmulatorError,
    OSError,
    RedisError,
    ScenarioError,
)


def measure(key: str, directory: Path) -> tuple[str, Result, float]:
    """Run one contender, with a receiver of its own; its name, and what others used in cores."""
    began = time.monotonic()
    receiver = Receiver(directory)
    try:
        place = dataclasses.replace(receiver.place, directory=directory / "contender")
        contender = CONTENDERS[key](place)

        def say(what: str) -> None:
            print(f"{time.monotonic() - began:5.0f} s  {contender.name}: {what}", flush=True)

        with OtherWork() as other_work:
            try:
                say("starts")
                contender.start()
                result = run(contender, receiver, say)
            finally:
                contender.stop()
                receiver.end()  # Its CPU time is counted when it has ended
    finally:
        receiver.end()
    say("done")
    return contender.name, result, other_work.cores


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare")
    parser.add_argument("contenders", nargs="*", metavar="CONTENDER", help=", ".join(CONTENDERS))
    wanted = parser.parse_args(arguments).contenders or list(CONTENDERS)
    if unknown := set(wanted) - set(CONTENDERS):
        known = ", ".join(CONTENDERS)
        parser.error(f"{', '.join(sorted(unknown))}: no such contender; there are {known}")
    signal.signal(signal.SIGTERM, end)
    # A shell's profile, endpoint or Region must not reach clients of the emulator.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    if WITH_REDIS & set(wanted):
        try:
            find()  # before anything that takes minutes
        except RedisError as error:
            print(f"make compare: {error}", file=sys.stderr)
            return 1
    shutil.rmtree(LOGS, ignore_errors=True)
    results: dict[str, Result] = {}
    busy: dict[str, float] = {}
    for key in CONTENDERS:
        if key in wanted:
            (LOGS / key).mkdir(parents=True)
            try:
                name, result, cores = measure(key, LOGS / key)
            except ERRORS as error:
                print(f"make compare: {key} was not measured: {error}", file=sys.stderr)
            else:
                results[name], busy[name] = result, cores
    if results:
        print(*report(results, busy), sep="\n")
    return 0 if len(results) == len(set(wanted)) else 1


def report(results: Mapping[str, Result], busy: Mapping[str, float]) -> Iterator[str]:
    """Where and when it ran, the table, and what other processes used, in cores."""
    about = machine()
    yield f"\n{about['machine']}, commit {about['commit']}, {time.strftime('%Y-%m-%d')}\n"
    yield from lines(results, busy, Ours.name)
    used = ", ".join(f"{cores:.2f} during {name}" for name, cores in busy.items())
    verdict = "busy, so there is no verdict" if max(busy.values()) > BUSY else "quiet enough"
    yield f"\nCores that other processes used: {used} ({verdict}; the limit is {BUSY})."


def end(number: int, frame: FrameType | None) -> None:
    """Handle SIGTERM as Ctrl-C: end all that was started."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
