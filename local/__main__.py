"""`make run`: the built bundle on this machine, with a receiver to deliver to.

Options come from make (`make run PORT=... DEMO=0`). Progress is printed as it happens; when all is
up, one line: `ready `, then a JSON object with `api`, `token`, `receiver`, `openid` (the issuer
with which people sign in), `project`, `credentials` and `ca`. Everything ends, and nothing is kept,
on Ctrl-C or SIGTERM: each start begins with an empty stack, a new project and a new authority.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import urllib3

from local.authority import Authority
from local.demo import Demo
from local.emulator import (
    BUILD,
    EMULATOR_PYTHON,
    FUNCTIONS_PYTHON,
    LOCAL_PARAMETERS,
    REGION,
    STACK,
    Emulator,
    EmulatorError,
    deploy,
    invoke,
)
from local.front import Front
from local.openid import Provider
from local.ports import HOST, complaints
from local.receiver import Receiver

WATCH_S = 0.25
"""Seconds between two looks at the emulator and at the process that started us."""

OPENID_CLIENT = "console"
"""The console's id at the local OpenID provider."""

PERSON = "you@example.com"
"""Whom the provider's page has filled in: an administrator of the local project."""

INVITE_TIMEOUT_S = 20.0
"""The call may have to wait for a cold function."""

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartError(Exception):
    """The local stack can't start; the message says why and what to do."""


class Ended(BaseException):
    """The local stack has to end. Not an `Exception`, so that no handler of errors catches it."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `make run`. `ca_bundle` None means no additional authorities."""

    port: int
    receiver_port: int
    state_dir: Path
    ca_bundle: Path | None
    demo: bool


def parse(arguments: list[str]) -> Options:
    """Read the options that make passes on; raises `StartError` for invalid ones."""
    parser = argparse.ArgumentParser(prog="python -m local")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--receiver-port", default="8443")
    parser.add_argument("--state-dir", default=".local")
    parser.add_argument("--ca-bundle", default="")
    parser.add_argument("--demo", default="1")
    values = parser.parse_args(arguments)
    if wrong := complaints([values.port, values.receiver_port]):
        raise StartError("\n".join(wrong))
    if values.demo not in ("0", "1"):
        raise StartError(f"DEMO is '{values.demo}', expected 0 or 1")
    if values.ca_bundle and not Path(values.ca_bundle).is_file():
        raise StartError(f"CA_BUNDLE is '{values.ca_bundle}', which is no file")
    return Options(
        port=int(values.port),
        receiver_port=int(values.receiver_port),
        state_dir=Path(values.state_dir).absolute(),
        ca_bundle=Path(values.ca_bundle) if values.ca_bundle else None,
        demo=values.demo == "1",
    )


def run(options: Options) -> None:
    """Start everything, print the ready line, and wait until `Ended`; then stop everything."""
    with contextlib.ExitStack() as running:
        running.enter_context(state(options.state_dir))
        authority = Authority(options.state_dir)
        receiver = Receiver(HOST, options.receiver_port, authority.server_context())
        receiver.start()
        running.callback(receiver.stop)

        provider = Provider(HOST, 0, OPENID_CLIENT, consoles(options.port), email=PERSON)
        provider.start()
        running.callback(provider.stop)

        say("starting the AWS emulator")
        emulator = Emulator(
            interpreter=EMULATOR_PYTHON,
            functions_interpreter=FUNCTIONS_PYTHON,
            state_dir=options.state_dir,
        )
        running.callback(emulator.stop)
        emulator.start()

        say("deploying .aws-sam/build")
        outputs = deploy(
            emulator,
            BUILD,
            LOCAL_PARAMETERS
            | {
                "TrustedAuthoritiesFile": str(trusted(options, authority.ca_path)),
                "OidcIssuer": provider.issuer,
                "OidcClientId": OPENID_CLIENT,
            },
        )
        front = Front(
            HOST,
            options.port,
            emulator.port,
            outputs["ApiId"],
            ssl_context=authority.server_context(),
        )
        front.start()
        running.callback(front.stop)

        api = f"http://{HOST}:{options.port}/v2"
        token = f"{api}/oauth2/token"
        credentials = options.state_dir / "credentials.json"
        admin = invoke(
            emulator,
            outputs["AdminFunctionName"],
            {"displayName": "Local", "tokenEndpoint": token},
        )
        write_private(credentials, {"serviceAccount": admin["serviceAccount"]})
        invite(api, admin, PERSON)
        ready = {
            "api": api,
            "token": token,
            "receiver": f"https://{HOST}:{options.receiver_port}",
            "openid": provider.issuer,
            "project": admin["project"],
            "credentials": str(credentials),
            "ca": str(authority.ca_path),
        }
        running_stack = {"stack": STACK, "region": REGION, "aws": emulator.url} | ready
        write_private(options.state_dir / "stack.json", running_stack)
        running.callback((options.state_dir / "stack.json").unlink, missing_ok=True)
        say(f"ready {json.dumps(ready)}")
        if options.demo:
            demo = Demo(
                api=api,
                token=token,
                credentials=credentials,
                receiver=ready["receiver"],
                receiver_ca=authority.ca_path,
                project=ready["project"],
            )
            demo.start()
            running.callback(demo.stop)
        watch(emulator)


def consoles(port: int) -> tuple[str, ...]:
    """The addresses of the console, by which a browser may call it."""
    hosts = (HOST, "localhost")
    return tuple(f"{way}://{host}:{port}/console/" for way in ("http", "https") for host in hosts)


def invite(api: str, admin: dict[str, Any], email: str) -> None:
    """Make a person an administrator of the project; raises `StartError` when that fails."""
    account = admin["serviceAccount"]
    try:
        answer = urllib3.request(
            "POST",
            f"{api}/projects/{admin['project']}/members",
            json={"email": email, "roles": ["roles/project.admin"]},
            headers=urllib3.make_headers(basic_auth=f"{account['keyId']}:{account['secret']}"),
            timeout=INVITE_TIMEOUT_S,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise StartError(f"the API does not answer: {error}") from error
    if answer.status != 200:
        raise StartError(f"{email} was not made a member: {answer.data[:300]!r}")


@contextlib.contextmanager
def state(directory: Path) -> Iterator[None]:
    """Use `directory` for this run alone; raises `StartError` when another run uses it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"{directory} is in use by another run: stop it, or choose another directory "
                "with `make run STATE_DIR=...`"
            ) from None
        yield


def trusted(options: Options, ca_path: Path) -> Path:
    """One file with every authority that deliveries trust in addition to the public ones."""
    path = options.state_dir / "trusted.pem"
    bundle = options.ca_bundle.read_text() if options.ca_bundle else ""
    path.write_text(f"{ca_path.read_text().rstrip()}\n{bundle}")
    return path


def write_private(path: Path, value: object) -> None:
    """Write `value` as JSON into a file that only its owner can read, from the first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)


def watch(emulator: Emulator) -> None:
    """Wait until make ends, or until the emulator ends by itself, which is an error."""
    make = os.getppid() if "MAKELEVEL" in os.environ else None
    # A shell's background job ignores SIGINT from the start, and so does make in one.
    catches = make is not None and _catches_interrupts(make)
    while True:
        time.sleep(WATCH_S)
        if emulator.ended():
            raise StartError(f"the emulator has ended on its own; {emulator.log} may say why")
        if make is not None and os.getppid() != make:
            raise Ended
        if make is not None and catches and not _catches_interrupts(make):
            raise Ended


def _catches_interrupts(make: int) -> bool:
    """Whether make still waits for a SIGINT.

    A terminal sends Ctrl-C to make and to us, and make passes SIGTERM on to us. But make does not
    pass on a SIGINT that it got alone: it stops catching the signal and waits for us to end. We can
    see that it no longer catches the signal.
    """
    try:
        status = Path(f"/proc/{make}/status").read_text()
    except OSError:
        return True  # No /proc on this system, or make has just ended
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & (1 << (signal.SIGINT - 1)))


def end(number: int, frame: FrameType | None) -> None:
    """Handle a signal by ending once. Repeated signals do not interrupt the stop."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise Ended


def say(line: str) -> None:
    """Print `line` without buffering, also when standard output is a pipe."""
    print(line, flush=True)


def main() -> int:
    """Run until a signal ends it; the exit status. An error is printed and gives 1."""
    for ending in ENDINGS:
        signal.signal(ending, end)
    # A shell's profile, endpoint or Region must not reach clients of the emulator.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    try:
        run(parse(sys.argv[1:]))
    except Ended:
        say("stopped")
    except (StartError, EmulatorError, OSError) as error:
        print(f"make run: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
