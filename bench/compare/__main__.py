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
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from bench.__main__ import machine
from bench.compare.contender import Contender, Place, Receiver
from bench.compare.conversation import ConversationError
from bench.compare.lambdas import Ours, Sample
from bench.compare.queues import BullMq, Celery
from bench.compare.redis_server import RedisError, find
from bench.compare.scenarios import Result, ScenarioError, run
from bench.compare.table import lines
from bench.report import BUSY, OtherWork
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

Error = (ConversationError, EmulatorError, RedisError, ScenarioError)


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
    results: dict[str, Result] = {}
    busy: dict[str, float] = {}
    try:
        if WITH_REDIS & set(wanted):
            find()  # before anything that takes minutes
        shutil.rmtree(LOGS, ignore_errors=True)
        for key in CONTENDERS:
            if key in wanted:
                (LOGS / key).mkdir(parents=True)
                name, result, cores = measure(key, LOGS / key)
                results[name], busy[name] = result, cores
    except Error as error:
        print(f"make compare: {error}", file=sys.stderr)
        return 1
    about = machine()
    print(f"\n{about['machine']}, commit {about['commit']}, {time.strftime('%Y-%m-%d')}\n")
    print(*lines(results, busy, Ours.name), sep="\n")
    used = ", ".join(f"{cores:.2f} during {name}" for name, cores in busy.items())
    verdict = "busy, so there is no verdict" if max(busy.values()) > BUSY else "quiet enough"
    print(f"\nCores that other processes used: {used} ({verdict}; the limit is {BUSY}).")
    return 0


def end(number: int, frame: FrameType | None) -> None:
    """Handle SIGTERM as Ctrl-C: end all that was started."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
