"""Labels: which keys and values a device's labels may have, and how many there may be."""

from typing import Any

from dataconnectors.kernel.errors import BadRequestError

MAXIMUM_LABELS = 50
"""Labels of a device. Each travels in every event of a connector that includes it."""

LONGEST_LABEL_KEY = 64
LONGEST_LABEL_VALUE = 256
"""Characters. A device's labels, all at their limits, still fit a message beside a usual event."""


def check_labels(labels: Any) -> None:
    """Raise `BadRequestError` unless `labels` are texts by key, all within the limits."""
    if not isinstance(labels, dict):
        raise BadRequestError("labels: expected an object of texts")
    if len(labels) > MAXIMUM_LABELS:
        raise BadRequestError(f"labels: {len(labels)} given, at most {MAXIMUM_LABELS}")
    for key, value in labels.items():
        if not is_label_key(key):
            raise BadRequestError(
                f"labels: {key!r:.80}: expected a key of 1 to {LONGEST_LABEL_KEY} printable "
                "characters"
            )
        if not isinstance(value, str) or len(value) > LONGEST_LABEL_VALUE or not _is_utf8(value):
            raise BadRequestError(
                f"labels.{key}: expected a text of at most {LONGEST_LABEL_VALUE} characters"
            )


def is_label_key(key: object) -> bool:
    """Whether `key` can be the key of a label."""
    return isinstance(key, str) and 1 <= len(key) <= LONGEST_LABEL_KEY and key.isprintable()


def _is_utf8(text: str) -> bool:
    """Whether DynamoDB can store `text`: it keeps UTF-8, which has no lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
