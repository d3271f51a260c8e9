"""The table of `make outage`: which cases are run, and their results as rows."""

from tests.outages import picture
from tests.outages.outage import Case, Result

MINUTE = 60.0
HOUR = 60 * MINUTE

USUAL = {
    True: ((1, 4 * MINUTE), (1, 2 * HOUR), (20, 4 * MINUTE), (20, 10 * MINUTE), (100, 4 * MINUTE)),
    False: ((1, 4 * MINUTE), (1, 30 * MINUTE), (20, 4 * MINUTE), (100, 4 * MINUTE)),
}
LONG = {
    True: ((1, 11 * HOUR), (20, 2 * HOUR), (100, 20 * MINUTE)),
    False: ((1, 2 * HOUR), (20, 20 * MINUTE)),
}
"""Events a second, and seconds of the outage, of timeouts and of errors. `LONG` ones take half an
hour of CPU and more, so they are run only on request."""

HEADER = (
    "| events/s, outage | | concurrency, mean and peak | failed attempts | invocations | "
    "SQS calls | DynamoDB calls | dollars | noticed after | backlog | "
    "50 % back | 95 % | all |\n" + "|---" * 13 + "|"
)


def cases(*, long: bool) -> list[Case]:
    """The cases in the order of their rows."""
    return [
        Case(rate, outage, hangs, holds, picture.AFTER if picture.shows(rate, outage, hangs) else 0)
        for hangs in (True, False)
        for rate, outage in (LONG if long else USUAL)[hangs]
        for holds in (False, True)
    ]


def row(result: Result) -> str:
    """A row of the table. Calls and dollars are those of the outage and of its recovery."""
    case = result.case
    used = result.outage + result.recovery
    kind = "timeouts" if case.hangs else "errors"
    cells = (
        f"{case.rate:g}, {span(case.outage)}, {kind}",
        "outage mode" if case.holds else "plain clock",
        f"{result.concurrency:.2f}, {result.peak}",
        f"{result.failed:,}",
        f"{used.invocations:,}",
        f"{used.sqs:,}",
        f"{used.dynamodb:,}",
        f"{used.dollars:.3f}",
        "" if result.noticed is None else span(result.noticed),
        f"{result.backlog:,}",
        span(result.recovered[0]),
        span(result.recovered[1]),
        span(result.recovered[2]) if not result.unsent else f"{result.unsent:,} are not",
    )
    return "| " + " | ".join(cells) + " |"


def span(seconds: float) -> str:
    """Seconds as people say them, to two digits or so."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * MINUTE:
        return f"{seconds / MINUTE:.1f} min".replace(".0 ", " ")
    return f"{seconds / HOUR:.1f} h".replace(".0 ", " ")
