"""Configuration requests: what a body that creates or changes a connector asks for, checked."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dataconnectors.aws.vault import MAXIMUM_PLAINTEXT
from dataconnectors.connectors.configuration import (
    CONNECTOR_TYPE,
    DEFAULT_LABELS,
    Configuration,
)
from dataconnectors.connectors.connector import Status
from dataconnectors.connectors.custom_headers import parse_headers
from dataconnectors.connectors.secret_rotation import (
    ROTATION_FIELDS,
    seconds_to_keep,
    with_other_end,
    with_secret,
)
from dataconnectors.connectors.secrets import MASK, MASKED_VALUE, Secrets, has_mask
from dataconnectors.connectors.webhook_key import webhook_key
from dataconnectors.devices.labels import LONGEST_LABEL_KEY, MAXIMUM_LABELS, is_label_key
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.kernel.errors import BadRequestError, DestinationError
from dataconnectors.kernel.fields import display_name

_NOT_IN_SECRETS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, which a secret has only when it was pasted wrongly, and lone surrogates,
which UTF-8 cannot write."""

_FIELDS = ("displayName", "status", "events", "labels", "httpConfig")
_VENDORS_HTTP_FIELDS = ("url", "signatureSecret", "headers")
_OUR_HTTP_FIELDS = ("standardWebhooks", *ROTATION_FIELDS)
_HTTP_FIELDS = (*_VENDORS_HTTP_FIELDS, *_OUR_HTTP_FIELDS)
_OUTPUT_ONLY = ("name", "createTime", "updateTime")
_HTTP_OUTPUT_ONLY = ("previousSecretExpireTime",)
_MASK_PATHS = (*_FIELDS, *(f"httpConfig.{name}" for name in _HTTP_FIELDS))

CheckUrl = Callable[[str], object]
"""Called with a URL; raises `DestinationError` for one that no connector may have."""


def parse_create(body: Any, check_url: CheckUrl) -> Configuration:
    """Read the configuration of a new connector; raises `BadRequestError` that names the field."""
    fields = _settable_fields(body)
    http = fields.get("httpConfig")
    if not isinstance(http, dict) or not http.get("url"):
        raise BadRequestError("httpConfig.url: expected the HTTPS address to push to")
    # Nothing is replaced, so the time, which says when a previous secret ends, does not matter.
    return _apply(fields, Configuration(url=""), check_url, now=0.0)


def parse_patch(
    body: Any,
    mask: Iterable[str] | None,
    current: Configuration,
    check_url: CheckUrl,
    now: float,
) -> Configuration:
    """Return `current` as a PATCH changes it; raises `BadRequestError` that names the field.

    Without a mask, the fields that are in the body change, those of `httpConfig` one by one. With a
    mask, exactly the fields that it names change, and one that is not in the body gets its default.
    A mask with `httpConfig` as a whole names the fields that the vendor's clients know, and those
    of ours that are in the body. `now` is in epoch seconds.
    """
    fields = _settable_fields(body)
    if mask is not None:
        fields = _masked_fields(fields, list(mask))
    elif isinstance(fields.get("httpConfig"), dict) and fields["httpConfig"].get("url", "") is None:
        # Some clients write null for a field that they do not set. A URL has no default, so null
        # leaves it as it is.
        fields["httpConfig"] = {
            name: value for name, value in fields["httpConfig"].items() if name != "url"
        }
    return _apply(fields, current, check_url, now)


def _settable_fields(body: Any) -> dict[str, Any]:
    """Return the fields of the body that can be set.

    Fields that only answers have are left out, and so are unknown ones with null: clients write
    null for fields that they do not use, such as the configurations of other connector types.
    """
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    if body.get("type") not in (None, CONNECTOR_TYPE):
        raise BadRequestError(
            f"type: {body['type']!r:.40} is not served, expected {CONNECTOR_TYPE}"
        )
    for name, value in body.items():
        if value is not None and name not in (*_FIELDS, *_OUTPUT_ONLY, "type"):
            raise BadRequestError(f"{name!r:.60}: unknown field, expected {', '.join(_FIELDS)}")
    return {name: body[name] for name in _FIELDS if name in body}


def _masked_fields(fields: Mapping[str, Any], mask: list[str]) -> dict[str, Any]:
    """Return the fields that the mask names, with null for those that are not in `fields`."""
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
            named = {name: http.get(name) for name in _VENDORS_HTTP_FIELDS}
            chosen_http = named | _present(http, _OUR_HTTP_FIELDS) | chosen_http
        elif path.startswith("httpConfig."):
            name = path.removeprefix("httpConfig.")
            chosen_http[name] = http.get(name)
        else:
            chosen[path] = fields.get(path)
    if "signatureSecret" in chosen_http:
        chosen_http |= _present(http, ROTATION_FIELDS)
    if "status" in chosen and chosen["status"] is None:
        chosen["status"] = Status.ACTIVE.value
    return chosen | ({"httpConfig": chosen_http} if chosen_http else {})


def _present(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _apply(
    fields: Mapping[str, Any], current: Configuration, check_url: CheckUrl, now: float
) -> Configuration:
    changed = current
    if "displayName" in fields:
        changed = replace(changed, display_name=display_name(fields["displayName"]))
    if fields.get("status") is not None:
        changed = replace(changed, status=_status(fields["status"], current.status))
    if "events" in fields:
        changed = replace(changed, event_types=_event_types(fields["events"]))
    if "labels" in fields:
        changed = replace(changed, labels=_labels(fields["labels"]))
    if fields.get("httpConfig") is not None:
        changed = _apply_http(fields["httpConfig"], changed, check_url, now)
    return changed


def _apply_http(
    http: Any, current: Configuration, check_url: CheckUrl, now: float
) -> Configuration:
    if not isinstance(http, dict):
        raise BadRequestError("httpConfig: expected an object")
    for name, value in http.items():
        if value is not None and name not in (*_HTTP_FIELDS, *_HTTP_OUTPUT_ONLY):
            raise BadRequestError(
                f"httpConfig.{name!r:.60}: unknown field, expected {', '.join(_HTTP_FIELDS)}"
            )
    changed = current
    if "url" in http:
        changed = replace(changed, url=_url(http["url"], check_url))
    secrets = current.secrets
    seconds = seconds_to_keep(http)
    if "signatureSecret" in http:
        secret = _signature_secret(http["signatureSecret"])
        secrets = with_secret(secrets, secret, seconds, now)
    elif seconds is not None:
        secrets = with_other_end(secrets, seconds, now)
    if "headers" in http:
        secrets = replace(secrets, headers=parse_headers(http["headers"]))
    if "standardWebhooks" in http:
        flag = _standard_webhooks(http["standardWebhooks"])
        secrets = replace(secrets, standard_webhooks=flag)
    _check(secrets)
    return replace(changed, secrets=secrets)


def _check(secrets: Secrets) -> None:
    """Refuse secrets that KMS does not take, or that do not suit each other."""
    size = len(secrets.to_bytes())
    if size > MAXIMUM_PLAINTEXT:
        parts = (
            "signatureSecret, the previous one" if secrets.previous_secret else "signatureSecret"
        )
        raise BadRequestError(
            f"httpConfig: {parts} and headers take {size} bytes together, "
            f"at most {MAXIMUM_PLAINTEXT}"
        )
    if not secrets.standard_webhooks:
        return
    if not secrets.signature_secret:
        raise BadRequestError("httpConfig.standardWebhooks: needs a signatureSecret to sign with")
    try:
        webhook_key(secrets.signature_secret)
    except ValueError as error:
        raise BadRequestError(f"httpConfig.signatureSecret: {error}") from None


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
    if has_mask(value):
        raise BadRequestError(f"httpConfig.url: {MASKED_VALUE}")
    try:
        check_url(value)
    except DestinationError as error:
        raise BadRequestError(f"httpConfig.url: {error}") from None
    return value


def _standard_webhooks(value: Any) -> bool:
    if not isinstance(value, bool | None):
        raise BadRequestError("httpConfig.standardWebhooks: expected true or false")
    return bool(value)


def _signature_secret(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or _NOT_IN_SECRETS.search(value):
        raise BadRequestError("httpConfig.signatureSecret: expected a text, no control characters")
    if value == MASK:
        raise BadRequestError(f"httpConfig.signatureSecret: {MASKED_VALUE}")
    return value
