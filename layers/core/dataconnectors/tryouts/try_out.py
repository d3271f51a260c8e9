"""A try-out: an address of the stack that one connector can be tried with, and what it answers."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.fields import values_to_set

LIFETIME = 7 * 24 * 3600
"""Seconds that an address is served after it was made or changed. Who tries something for longer
changes its answer now and then; an address that is forgotten goes away by itself."""

MAXIMUM_TRY_OUTS = 20
"""Try-outs of a project at a time: enough for all its people, and no more to show than one page."""

ENTROPY_BYTES = 20
"""Random bytes of an id: 160 bits. The id in the URL is all that a stranger would have to guess."""

PATH = "/try/"
"""Begins the path of every address. `template.yaml` routes it."""

FIELDS = ("answer",)
OUTPUT_ONLY = ("name", "url", "createTime", "expireTime", "deliveries")
"""Fields that answers have and requests cannot set."""

ID_PATTERN = "^[0-9a-v]{32}$"
"""What ids look like."""


class TryOutAnswer(StrEnum):
    """How a try-out answers deliveries that a careful receiver would accept.

    `SLOW` is 200 after the attempt's deadline has passed.
    """

    OK = "200"
    ERROR = "500"
    SLOW = "SLOW"


@dataclass(frozen=True, slots=True)
class TryOut:
    """One address. Times are in epoch seconds; from `expires_at` on it is not served any more."""

    project: str
    id: str
    answer: TryOutAnswer
    create_time: float
    expires_at: float

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/tryouts/{id}`."""
        return f"projects/{self.project}/tryouts/{self.id}"

    @property
    def path(self) -> str:
        """The path of its address: `/try/{project}.{id}`."""
        return f"{PATH}{self.project}.{self.id}"

    def to_api(self, host: str) -> dict[str, Any]:
        """The resource as answers show it; `host` is the one that the API was called by."""
        return {
            "name": self.name,
            "url": f"https://{host}{self.path}",
            "answer": self.answer.value,
            "createTime": times.to_text(self.create_time),
            "expireTime": times.to_text(self.expires_at),
        }


def new_try_out_id(entropy: bytes) -> str:
    """An id that cannot be guessed, from `ENTROPY_BYTES` random bytes: 32 characters of 0-9a-v."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"{len(entropy)} bytes of entropy, expected {ENTROPY_BYTES}")
    return base64.b32hexencode(entropy).decode("ascii").lower()


def is_try_out_id(text: str) -> bool:
    """Whether a text can be the id of a try-out."""
    return re.fullmatch(r"[0-9a-v]{32}", text, re.ASCII) is not None


def parse_path_name(name: str) -> tuple[str, str]:
    """The project and the id in `{project}.{id}`; two empty texts when it is not one of ours."""
    project, _, try_out_id = name.rpartition(".")
    return (project, try_out_id) if project and is_try_out_id(try_out_id) else ("", "")


def parse_answer(body: Any, default: TryOutAnswer) -> TryOutAnswer:
    """The answer that a request sets, or `default`; raises `BadRequestError`."""
    values: Mapping[str, Any] = values_to_set(body, FIELDS, output_only=OUTPUT_ONLY)
    value = values.get("answer")
    if value is None:
        return default
    try:
        return TryOutAnswer(value)
    except ValueError:
        expected = ", ".join(answer.value for answer in TryOutAnswer)
        raise BadRequestError(f"answer: expected one of the texts {expected}") from None
