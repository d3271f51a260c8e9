"""Proves in minutes that a stack works, with a project of its own that it deletes at the end.

    python -m ops.smoke --stack NAME [--region REGION] [--receiver URL]
    python -m ops.smoke --stack local [--state-dir DIRECTORY]

It takes the right to invoke the stack's admin function, and to read what the stack consists of.
`local` is the stack of a running `make run`. Each line of what it prints is a check, with `yes`,
`no` or `not reachable`. It ends with 0 when every check could be made and none is a `no`, with 1
when one is or something could not be cleaned up, and with 2 when events could not be seen to
arrive, because the stack has no endpoint to try connectors with. When nobody reads on, as in
`make smoke | head`, it makes no more checks, cleans up and ends with 1.

It costs less than a cent on AWS: some 100 requests to the API, and a dozen events.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ops.aws import explained
from ops.local_stack import LOCAL
from ops.smoke.report import Report
from ops.smoke.run import Run
from ops.smoke.target import Target
from ops.smoke.timer import Timer
from ops.stacks import StackError


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that it cleans up."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def smoke(target: Target, receiver: str, timer: Timer) -> int:
    """Make a run and print its report; the exit status."""
    run = Run(target, receiver, Report(lambda line: print(line, flush=True)), timer)
    try:
        return run.run()
    except BrokenPipeError:
        # Python writes what it still has of the report once more when it ends, and complains:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        # The report would have said this last, and nobody else does.
        if run.left:
            print(f"smoke: left: {'; '.join(run.left)}", file=sys.stderr)
        return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run against the stack; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.smoke")
    parser.add_argument("--stack", required=True, help=f"its name, or {LOCAL}")
    parser.add_argument("--region", help="default: that of the AWS configuration")
    parser.add_argument("--state-dir", default=".local", help="that of the running `make run`")
    parser.add_argument("--receiver", default="", help="an HTTPS endpoint that answers 200")
    options = parser.parse_args(arguments)
    try:
        with explained():
            if options.stack == LOCAL:
                target = Target.local(Path(options.state_dir))
            else:
                target = Target.on_aws(options.stack, options.region)
        with _interrupted_by_sigterm():
            return smoke(target, options.receiver, Timer())
    except StackError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
