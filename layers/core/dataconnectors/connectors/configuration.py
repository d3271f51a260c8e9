"""What a customer may set on a connector: read from a request, checked, shown in an answer."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataconnectors.aws.vault import MAXIMUM_PLAINTEXT
from dataconnectors.connectors.connector import Connector, Status
from dataconnectors.connectors.custom_headers import parse_headers
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets
from dataconnectors.devices.labels import LONGEST_LABEL_KEY, MAXIMUM_LABELS, is_label_key
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.kernel.errors import BadRequestError, DestinationError

TYPE = "HTTP_PUSH"

DEFAULT_LABELS = ("name",)
"""A new connector includes the device's display name; an explicit empty list means none."""

LONGEST_DISPLAY_NAME = 256

_NO_SECRET = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""What no secret has that somebody typed or pasted whole, and half a character without UTF-8."""

_FIELDS = ("displayName", "status", "events", "labels", "httpConfig")
_HTTP_FIELDS = ("url", "signatureSecret", "headers")
_OUTPUT_ONLY = ("name", "createTime", "updateTime")
_MASK_PATHS = (*_FIELDS, *(f"httpConfig.{name}" for name in _HTTP_FIELDS))

CheckUrl = Callable[[str], object]
"""Raises `DestinationError` for a URL that no connector may have."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A customer's settings of one connector. Empty `event_types` means every type."""

    url: str
    display_name: str = ""
    status: Status = Status.ACTIVE
    event_types: tuple[str, ...] = ()
    labels: tuple[str, ...] = DEFAULT_LABELS
    secrets: Secrets = NO_SECRETS


def of(connector: Connector, secrets: Secrets) -> Configuration:
    """The settings that a row and its opened secrets hold."""
    return Configuration(
        url=connector.url,
        display_name=connector.display_name,
        status=connector.status,
        event_types=connector.event_types,
        labels=connector.labels,
        secrets=secrets,
    )


def to_api(connector: Connector, secrets: Secrets) -> dict[str, Any]:
    """The resource as answers show it: every field, always, as the vendor's clients demand."""
    return {
        "name": connector.name,
        "displayName": connector.display_name,
        "type": TYPE,
        "status": connector.status.value,
        "events": list(connector.event_types),
        "labels": list(connector.labels),
        "httpConfig": {
            "url": connector.url,
            "signatureSecret": secrets.signature_secret,
            "headers": dict(secrets.headers),
        },
    }


def changed_fields(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """The names of the fields that differ, as a mask would name them; never their values."""
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
    }
    return tuple(name for name, (old, new) in pairs.items() if old != new)


def parse_create(body: Any, check_url: CheckUrl) -> Configuration:
    """The settings of a new connector; raises `BadRequestError` that names the field."""
    fields = _known(body)
    http = fields.get("httpConfig")
    if not isinstance(http, dict) or not http.get("url"):
        raise BadRequestError("httpConfig.url: expected the HTTPS address to push to")
    return _apply(fields, Configuration(url=""), check_url)


def parse_patch(
    body: Any, mask: Iterable[str] | None, current: Configuration, check_url: CheckUrl
) -> Configuration:
    """`current` as a PATCH changes it; raises `BadRequestError` that names the field.

    Without a mask the fields present in the body change, `httpConfig` key by key. With one,
    exactly the named ones change, and one that is named but absent takes its default.
    """
    fields = _known(body)
    if mask is not None:
        fields = _masked(fields, list(mask))
    elif isinstance(fields.get("httpConfig"), dict) and fields["httpConfig"].get("url", "") is None:
        # Null is how some clients write a field that they do not set. There is no default for it.
        fields["httpConfig"] = {k: v for k, v in fields["httpConfig"].items() if k != "url"}
    return _apply(fields, current, check_url)


def _known(body: Any) -> dict[str, Any]:
    """The body's settable fields. Null in a field that we do not have means that it is unused."""
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    if body.get("type") not in (None, TYPE):
        raise BadRequestError(f"type: {body['type']!r:.40} is not served, expected {TYPE}")
    for name, value in body.items():
        if value is not None and name not in (*_FIELDS, *_OUTPUT_ONLY, "type"):
            raise BadRequestError(f"{name!r:.60}: unknown field, expected {', '.join(_FIELDS)}")
    return {name: body[name] for name in _FIELDS if name in body}


def _masked(fields: Mapping[str, Any], mask: list[str]) -> dict[str, Any]:
    http = fields.get("httpConfig") or {}
    if not isinstance(http, dict):
        raise BadRequestError("httpConfig: expected an object")
    chosen: dict[str, Any] = {}
    chosen_http: dict[str, Any] = {}
    for path in mask:
        if path not in _MASK_PATHS:
            raise BadRequestError(
                f"update_mask: {path!r:.60} is unknown, expected {', '.join(_MASK_PATHS)}"
            )
        if path == "httpConfig":
            chosen_http = {name: http.get(name) for name in _HTTP_FIELDS} | chosen_http
        elif path.startswith("httpConfig."):
            name = path.removeprefix("httpConfig.")
            chosen_http[name] = http.get(name)
        else:
            chosen[path] = fields.get(path)
    if "status" in chosen and chosen["status"] is None:
        chosen["status"] = Status.ACTIVE.value
    return chosen | ({"httpConfig": chosen_http} if chosen_http else {})


def _apply(fields: Mapping[str, Any], current: Configuration, check_url: CheckUrl) -> Configuration:
    changed = current
    if "displayName" in fields:
        changed = replace(changed, display_name=_display_name(fields["displayName"]))
    if fields.get("status") is not None:
        changed = replace(changed, status=_status(fields["status"], current.status))
    if "events" in fields:
        changed = replace(changed, event_types=_event_types(fields["events"]))
    if "labels" in fields:
        changed = replace(changed, labels=_labels(fields["labels"]))
    if fields.get("httpConfig") is not None:
        changed = _apply_http(fields["httpConfig"], changed, check_url)
    return changed


def _apply_http(http: Any, current: Configuration, check_url: CheckUrl) -> Configuration:
    if not isinstance(http, dict):
        raise BadRequestError("httpConfig: expected an object")
    for name, value in http.items():
        if value is not None and name not in _HTTP_FIELDS:
            raise BadRequestError(
                f"httpConfig.{name!r:.60}: unknown field, expected {', '.join(_HTTP_FIELDS)}"
            )
    changed = current
    if "url" in http:
        changed = replace(changed, url=_url(http["url"], check_url))
    secrets = current.secrets
    if "signatureSecret" in http:
        secrets = replace(secrets, signature_secret=_signature_secret(http["signatureSecret"]))
    if "headers" in http:
        secrets = replace(secrets, headers=parse_headers(http["headers"]))
    size = len(secrets.to_bytes())
    if size > MAXIMUM_PLAINTEXT:
        raise BadRequestError(
            f"httpConfig: signatureSecret and headers take {size} bytes together, "
            f"at most {MAXIMUM_PLAINTEXT}"
        )
    return replace(changed, secrets=secrets)


def _display_name(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_DISPLAY_NAME or not value.isprintable():
        raise BadRequestError(
            f"displayName: expected a text of at most {LONGEST_DISPLAY_NAME} printable characters"
        )
    return value


def _status(value: Any, current: Status) -> Status:
    allowed = {Status.ACTIVE.value, Status.USER_DISABLED.value}
    if not isinstance(value, str) or value not in allowed | {current.value}:
        raise BadRequestError(f"status: expected {' or '.join(sorted(allowed))}")
    return Status(value)


def _event_types(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadRequestError("events: expected a list of event types")
    for entry in value:
        if not isinstance(entry, str) or entry not in EVENT_TYPES:
            raise BadRequestError(
                f"events: {entry!r:.40} is unknown, expected {', '.join(EVENT_TYPES)}"
            )
    return tuple(dict.fromkeys(value))


def _labels(value: Any) -> tuple[str, ...]:
    if value is None:
        return DEFAULT_LABELS
    if not isinstance(value, list) or not all(is_label_key(entry) for entry in value):
        raise BadRequestError(
            f"labels: expected a list of label keys of 1 to {LONGEST_LABEL_KEY} characters"
        )
    labels = tuple(dict.fromkeys(value))
    if len(labels) > MAXIMUM_LABELS:
        raise BadRequestError(f"labels: {len(labels)} given, at most {MAXIMUM_LABELS}")
    return labels


def _url(value: Any, check_url: CheckUrl) -> str:
    if not isinstance(value, str):
        raise BadRequestError("httpConfig.url: expected the HTTPS address to push to")
    try:
        check_url(value)
    except DestinationError as error:
        raise BadRequestError(f"httpConfig.url: {error}") from None
    return value


def _signature_secret(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or _NO_SECRET.search(value):
        raise BadRequestError("httpConfig.signatureSecret: expected a text, no control characters")
    return value
