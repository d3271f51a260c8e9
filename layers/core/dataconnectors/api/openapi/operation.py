"""One operation of the API: what the document says of a method of a path."""

from dataclasses import dataclass

ANYBODY = ""
"""Stands for a permission that every caller with credentials has."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `path` begins below `/v2`.

    `permission` is the one that the caller needs, `ANYBODY` when credentials are enough, and None
    when not even those are needed. `query` and `headers` name parameters of the document, `body`
    and `answer` name schemas; an `answer` of None is an HTML page. `is_form` marks a body that is
    a form instead of JSON, `is_publishing` an operation of the ingest function, `takes_id_token`
    one whose credentials are an id token.

    The error statuses follow from these fields, except two: `conflicts` says that 409 is possible,
    `may_be_refused` that 400 is possible although there is neither a query nor a body.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answer: str | None
    permission: str | None = ANYBODY
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: str | None = None
    is_form: bool = False
    conflicts: bool = False
    may_be_refused: bool = False
    is_publishing: bool = False
    takes_id_token: bool = False
    description: str = ""


PAGE = ("pageSize", "pageToken")
"""The parameters of a list that has pages."""

TIMES = ("startTime", "endTime")
"""The parameters of a list that a time span may limit."""

DAY = 24 * 3600
"""Seconds."""
