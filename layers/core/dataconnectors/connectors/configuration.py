"""Configurations: what a customer sets on a connector, and how answers show it."""

from dataclasses import dataclass
from typing import Any, Self

from dataconnectors.connectors.connector import Connector, Status
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets
from dataconnectors.kernel import times

CONNECTOR_TYPE = "HTTP_PUSH"
"""The only type of connector that is served."""

DEFAULT_LABELS = ("name",)
"""Labels that a new connector includes when the request names none: the device's display name. An
explicit empty list means no labels."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A customer's settings of one connector.

    Empty `event_types` means every type; `labels` are the keys of the labels to include.
    """

    url: str
    display_name: str = ""
    status: Status = Status.ACTIVE
    event_types: tuple[str, ...] = ()
    labels: tuple[str, ...] = DEFAULT_LABELS
    secrets: Secrets = NO_SECRETS

    @classmethod
    def of(cls, connector: Connector, secrets: Secrets) -> Self:
        """Return the settings that a connector's row and its opened secrets hold."""
        return cls(
            url=connector.url,
            display_name=connector.display_name,
            status=connector.status,
            event_types=connector.event_types,
            labels=connector.labels,
            secrets=secrets,
        )


def to_api(connector: Connector, secrets: Secrets) -> dict[str, Any]:
    """Return the resource as answers show it, with every field: the vendor's clients need all.

    They ignore the two fields that are ours, `standardWebhooks` and `previousSecretExpireTime`. The
    latter is only there while a previous secret signs; the previous secret itself is never shown.
    """
    http: dict[str, Any] = {
        "url": connector.url,
        "signatureSecret": secrets.signature_secret,
        "headers": dict(secrets.headers),
        "standardWebhooks": secrets.standard_webhooks,
    }
    if secrets.previous_secret:
        http["previousSecretExpireTime"] = times.to_text(secrets.previous_until)
    return {
        "name": connector.name,
        "displayName": connector.display_name,
        "type": CONNECTOR_TYPE,
        "status": connector.status.value,
        "events": list(connector.event_types),
        "labels": list(connector.labels),
        "httpConfig": http,
    }


def changed_fields(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """Return the names of the fields that differ, as a mask names them; never their values."""
    pairs = {
        "displayName": (before.display_name, after.display_name),
        "status": (before.status, after.status),
        "events": (before.event_types, after.event_types),
        "labels": (before.labels, after.labels),
        "httpConfig.url": (before.url, after.url),
        "httpConfig.signatureSecret": (
            before.secrets.signature_secret,
            after.secrets.signature_secret,
        ),
        "httpConfig.headers": (before.secrets.headers, after.secrets.headers),
        "httpConfig.standardWebhooks": (
            before.secrets.standard_webhooks,
            after.secrets.standard_webhooks,
        ),
        "httpConfig.previousSecretTtl": (
            (before.secrets.previous_secret, before.secrets.previous_until),
            (after.secrets.previous_secret, after.secrets.previous_until),
        ),
    }
    return tuple(name for name, (old, new) in pairs.items() if old != new)
