"""The AWS emulator on loopback, and the built bundle deployed on it.

The emulator is ministack, in an environment and a process group of its own. It runs the artefact
in .aws-sam/build as Lambda would: real handlers, real layer, and its own event source mappings.
The handlers' interpreter is .venv/runtime, which has nothing else installed.

The emulator differs from AWS in some points. This is what we do about them:
- It puts a layer before the function on sys.path. The two share no names.
- It passes its whole environment on to functions. We start it with a clean one.
- It unpacks the layer for each worker and starts all workers at once. We make workers share one
  unpacked layer and start in turn.
- One thread polls all queues, and rests after it was woken for nothing. We make it rest less.
- It would remove containers of its own kind from a Docker engine. We hide the engine from it.
"""

import contextlib
import ctypes
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.ports import HOST, free_port

# Made by make. The paths are relative to the project's folder.
EMULATOR_PYTHON = Path(".venv/emulator/bin/python")
FUNCTIONS_PYTHON = Path(".venv/runtime/bin/python")
BUILD = Path(".aws-sam/build")

STACK = "dataconnectors-local"
BUCKET = "artefacts"

LOCAL_PARAMETERS = {
    # Relaxed: a receiver on this machine is not on a public network. (Its authority is not a public
    # one either; TrustedAuthoritiesFile depends on the run.)
    "AllowedNetworks": "127.0.0.0/8",
    # The least that AWS allows, because this is one machine: each batch in flight is a process here
    # and takes a quarter of a second of CPU to start. A hanging endpoint keeps all of its
    # processes.
    "MaximumConcurrency": "2",
    # Connectors can be tried without a receiver.
    "TryOut": "true",
    # The emulator refuses templates with a resource that it does not know.
    "SavedQueries": "false",
}

# The emulator takes any credentials; these can't be mistaken for real ones.
REGION = "us-east-1"
KEY = "test"

START_TIMEOUT_S = 30.0
DEPLOY_TIMEOUT_S = 60.0
POLL_S = 0.05

# How long the kernel may take to end a killed process group.
STOP_TIMEOUT_S = 2.0

# The variables that the emulator gets of the shell's environment: where programs and homes are, and
# how text is written.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")

# One date for every file of a package, so that equal content makes an equal package. It is the
# oldest date that a zip can hold.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)

SOURCE = re.compile(r"^(?P<property>\s+(?:CodeUri|ContentUri): )(?P<folder>\w+)$", re.MULTILINE)


class EmulatorError(Exception):
    """The emulator did not start, or the bundle could not be deployed on it."""


class Emulator:
    """One run of the emulator. Its state is in memory, so every run begins empty."""

    def __init__(
        self, *, interpreter: Path, functions_interpreter: Path, state_dir: Path, port: int = 0
    ) -> None:
        """Start nothing yet.

        `interpreter` has ministack, `functions_interpreter` runs the functions. The log, the
        functions' logs and temporary files go to `state_dir`. `port` 0 takes a free one.
        """
        self.port = port or free_port()
        self.log = state_dir / "emulator.log"
        self.logs = state_dir / "logs"
        self._temporary = state_dir / "tmp"
        self._command = [
            str(interpreter.absolute()),
            str(Path(__file__).with_name("emulator_process.py")),
            str(functions_interpreter.absolute()),
            str(self.logs.absolute()),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the emulated services answer, all on one port."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the emulator and wait until it answers; raises `EmulatorError` when it does not."""
        _remove(self._temporary)
        self._temporary.mkdir(parents=True)
        self.logs.mkdir(exist_ok=True)
        for old in self.logs.glob("*.log"):
            old.unlink()
        _adopt_orphans()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(os.environ),
                # A process group of its own, so that we can end all of it at once, and a session
                # of its own, so that Ctrl-C reaches us alone and we end things in order.
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self.ended():
                raise EmulatorError(f"the emulator ended at once; {self.log} says why")
            if time.monotonic() > deadline:
                raise EmulatorError(
                    f"the emulator did not answer within {START_TIMEOUT_S:g} s; see {self.log}"
                )
            time.sleep(POLL_S)

    @property
    def session(self) -> int:
        """The session of the emulator's process and of all functions; -1 while it does not run."""
        return self._process.pid if self._process else -1

    def ended(self) -> bool:
        """Whether the emulator has ended, by itself or by `stop`."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """End the emulator and every function it runs, at once. Nothing of it has to be saved."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)
        _reap(process.pid)
        if process.stdin:
            process.stdin.close()
        _remove(self._temporary)

    def client(self, service: str) -> Any:
        """A boto3 client for the emulated `service`."""
        session: Any = boto3.Session(KEY, KEY, region_name=REGION)
        return session.client(
            service,
            endpoint_url=self.url,
            # No proxy of the shell and no retries, because the emulator is on this machine.
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def _environment(self, shell: Mapping[str, str]) -> dict[str, str]:
        return {name: shell[name] for name in PASSED_ON if name in shell} | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "TMPDIR": str(self._temporary.absolute()),
            "LOG_LEVEL": "INFO",
            # Listeners of services that we do not use.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
        }

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=1)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _remove(folder: Path) -> None:
    """Remove a folder with its content, if it exists."""
    for entry, _, _ in os.walk(folder):
        Path(entry).chmod(stat.S_IRWXU)  # Unpacked layers are read-only
    shutil.rmtree(folder, ignore_errors=True)


def deploy(emulator: Emulator, build: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the artefact in `build` with these template parameters; the stack's outputs.

    Raises `EmulatorError` with the reason when the stack does not come up.
    """
    template = uploaded(emulator, build)
    cloudformation = emulator.client("cloudformation")
    try:
        cloudformation.create_stack(
            StackName=STACK,
            TemplateURL=template,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        raise EmulatorError(f"the emulator refused the template: {error}") from error
    deadline = time.monotonic() + DEPLOY_TIMEOUT_S
    while True:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > deadline:
            raise EmulatorError(
                f"the stack is {stack['StackStatus']}: {_reasons(cloudformation)}; see "
                f"{emulator.log}"
            )
        time.sleep(POLL_S)


def invoke(emulator: Emulator, function: str, payload: object) -> Any:
    """What `function` returns for `payload`; raises `EmulatorError` when it fails."""
    answer = emulator.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(payload).encode()
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise EmulatorError(f"{function} failed: {result}; see {emulator.log}")
    return json.loads(result)


def package(folder: Path) -> bytes:
    """`folder` as a zip that depends on nothing but its content.

    Not compressed: it travels no further than this machine, where it is unpacked again.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_DATE)
            info.external_attr = path.stat().st_mode << 16
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def uploaded(emulator: Emulator, build: Path) -> str:
    """Upload the artefacts in `build`, and its template, naming them as `sam package` would.

    Returns the template's URL: AWS takes no template of more than 51,200 bytes in the call itself.
    """
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def upload(match: re.Match[str]) -> str:
        content = package(build / match["folder"])
        key = f"{hashlib.sha256(content).hexdigest()}.zip"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"{match['property']}s3://{BUCKET}/{key}"

    template = SOURCE.sub(upload, (build / "template.yaml").read_text())
    s3.put_object(Bucket=BUCKET, Key="template.yaml", Body=template.encode())
    return f"http://{HOST}:{emulator.port}/{BUCKET}/template.yaml"


def _reasons(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return "; ".join(_failed(events)) or "no reason given"


def _failed(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        if event["ResourceStatus"].endswith("FAILED") and event.get("ResourceStatusReason"):
            yield f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"


PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans below this process become its children, not those of process 1."""


def _adopt_orphans() -> None:
    """Become the parent of functions whose emulator has ended, to reap them in `stop`.

    In a container process 1 often reaps nobody, and they would stay in the process list for good.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap(group: int) -> None:
    """Collect the ended processes of `group`; they have been killed, so this does not wait long."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-group, os.WNOHANG) == (0, 0):
                time.sleep(POLL_S)
        except ChildProcessError:
            return
