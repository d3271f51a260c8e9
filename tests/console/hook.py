"""A connector that pushes to a hook of the local receiver, which answers as asked."""

from typing import Any

import requests

from tests.console.client import Client
from tests.e2e.conftest import Stack

RECEIVER_SECONDS = 30
"""Of a call of the receiver, on busy cores."""

SECRET = "a-secret-of-32-characters-xxxxxx"


class Hook:
    """The connector. `page` is the path of its page, `path` its own below /v2."""

    def __init__(self, client: Client, stack: Stack, name: str, **settings: Any) -> None:
        """Create it. `settings` are fields of the connector."""
        self.url = f"{stack.ready['receiver']}/hook/{name}"
        self._control = f"{stack.ready['receiver']}/control/{name}"
        self._ca = stack.ready["ca"]
        made = client.call(
            "POST",
            client.below("dataconnectors"),
            {
                "displayName": name,
                "events": ["temperature", "touch"],
                "httpConfig": {"url": self.url, "signatureSecret": SECRET},
                **settings,
            },
        )
        self.id: str = made["name"].rpartition("/")[2]
        self.path = client.below(f"dataconnectors/{self.id}")
        self.page = f"/console/projects/{client.project}/connectors/{self.id}"

    def answer(self, status: int) -> None:
        """Let the hook answer with a status from now on."""
        requests.put(
            self._control, json={"status": status}, verify=self._ca, timeout=RECEIVER_SECONDS
        ).raise_for_status()

    def arrived(self) -> list[dict[str, Any]]:
        """What the hook received, oldest first."""
        answer = requests.get(
            f"{self._control}/requests", verify=self._ca, timeout=RECEIVER_SECONDS
        )
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found
