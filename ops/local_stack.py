"""The stack of a running `make run`, as the commands in this folder see it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ops.stacks import StackError

LOCAL = "local"
"""The name of this stack in STACK=…."""

AWS_CALL_S = 10
"""Seconds for an answer of the emulator's, where a command has no limit of its own."""

NAMES = ("stack", "region", "aws", "api", "token", "ca")
"""What `local/__main__.py` writes down of a running stack, all of it text."""


class LocalAws:
    """Stands in for a boto3 session, with clients of the emulator of a running `make run`."""

    def __init__(self, running: Mapping[str, str]) -> None:
        self.region_name = running["region"]
        self._url = running["aws"]
        self._session: Any = boto3.Session("test", "test", region_name=self.region_name)

    def client(self, service: str, config: Config | None = None) -> Any:
        """A client for an emulated service. No proxy of the shell leads to it."""
        own = Config(proxies={}, read_timeout=AWS_CALL_S)
        return self._session.client(
            service, endpoint_url=self._url, config=own.merge(config) if config else own
        )


def running_in(state_dir: Path) -> Mapping[str, str]:
    """What there is to know of the stack of the `make run` with this state directory.

    Raises `StackError` when none is running there.
    """
    path = state_dir / "stack.json"
    try:
        running = json.loads(path.read_text())
        return {name: running[name] for name in NAMES}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise StackError(
            f"there is no running stack in {state_dir} ({error!r}): start `make run`, or name "
            "its directory with STATE_DIR=..."
        ) from None
