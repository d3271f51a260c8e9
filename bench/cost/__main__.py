"""What a stack costs a month, by list prices.

    python -m bench.cost                          loads beside each other, and docs/cost.svg
    python -m bench.cost RATE=100 LATENCY=0.1 …   one load, line by line

`make cost` does both. Settings: RATE (deliveries a second), LATENCY (s), CONNECTORS, BYTES (of an
event), PUBLISH (events in a call), FILL (events in a batch; otherwise estimated), FAILURES (part of
attempts), HISTORY (1 or 0), ATTEMPT_LOG (all, sampled, failures, off), NAT (1 or 0).
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bench.cost import measured, picture, prices, rivals
from bench.cost.model import DELIVER, PARTS, Load, bill, idle_connector, sending

LIMITS = {
    "rate": (1e-6, 1e6),
    "latency": (0.0, 300.0),
    "connectors": (1, 1_000_000),
    "bytes": (1, 32 * 1024),
    "publish": (1, 100),
    "fill": (1.0, 10.0),
    "failures": (0.0, 0.99),
}
"""The largest event has 32 KB, and a call a hundred; a batch has ten."""

LOGS = ("all", "sampled", "failures", "off")

ROWS: Sequence[tuple[str, Load]] = (
    ("1/s", Load(rate=1)),
    ("100/s", Load()),
    ("10,000/s", Load(rate=10_000)),
    ("100/s over 1,000 connectors", Load(connectors=1000)),
    ("100/s, answers in 1 s", Load(latency=1)),
    ("100/s, answers in 5 s", Load(latency=5)),
    ("100/s, batches of 1", Load(fill=1)),
    ("100/s, batches of 10", Load(fill=10)),
    ("100/s, a tenth of attempts fails", Load(failures=0.1)),
    ("100/s, half of attempts fail", Load(failures=0.5)),
    ("100/s, events of 4 KB", Load(bytes=4096)),
    ("100/s, all attempts logged", Load(attempt_log="all")),
    ("100/s, no attempt logged", Load(attempt_log="off")),
    ("100/s, no history", Load(history=False)),
    ("100/s, 100 events a call", Load(publish=100)),
    ("100/s, 100 a call, no history", Load(publish=100, history=False)),
    ("100/s, the same, batches of 10", Load(publish=100, history=False, fill=10)),
    ("10,000/s, 100 a call, no history", Load(rate=10_000, publish=100, history=False)),
)


class WrongLoadError(ValueError):
    """Says what is wrong with the arguments."""


def parse(arguments: Sequence[str]) -> Load:
    """A load from NAME=value. Raises WrongLoadError."""
    values: dict[str, Any] = {}
    for argument in arguments:
        name, _, text = argument.partition("=")
        values[name.lower()] = _value(name, text)
    return Load(**values)


def _value(name: str, text: str) -> float | int | str | bool:
    field = name.lower()
    if field == "attempt_log":
        if text not in LOGS:
            raise WrongLoadError(f"{name}: {text!r} is none of {', '.join(LOGS)}")
        return text
    if field in ("history", "nat"):
        if text not in ("0", "1"):
            raise WrongLoadError(f"{name}: {text!r} is neither 0 nor 1")
        return text == "1"
    if field not in LIMITS:
        raise WrongLoadError(
            f"{name}: no such setting; there are {', '.join(Load._fields).upper()}"
        )
    least, most = LIMITS[field]
    try:
        value = float(text)
    except ValueError:
        raise WrongLoadError(f"{name}: {text!r} is no number") from None
    if not least <= value <= most:
        raise WrongLoadError(f"{name}: {text} is not from {least:g} to {most:g}")
    if isinstance(least, float):
        return value
    if value != int(value):
        raise WrongLoadError(f"{name}: {text} is not a whole number")
    return int(value)


def table() -> Iterator[str]:
    """Loads beside each other, in Markdown."""
    columns = ["load", "batch", *PARTS, "all, $ per million", "$ a month", "SNS", "EventBridge"]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for name, load in ROWS:
        made, own = sending(load, measured.cpu()), bill(load)
        columns = [f"{own.per_million(part):.2f}" for part in PARTS]
        columns += [f"**{own.per_million():.2f}**", f"{own.dollars:,.0f}"]
        columns += [f"{rivals.bill(each, load).per_million():.2f}" for each in rivals.LACKS]
        yield f"| {name} | {made.fill:.1f} | {' | '.join(columns)} |"
    yield ""
    yield f"An idle connector: ${idle_connector().dollars:.2f} a month."
    yield from notes()


def statement(load: Load) -> Iterator[str]:
    """A month's bill, line by line."""
    made, own = sending(load, measured.cpu()), bill(load)
    yield " ".join(
        f"{name.upper()}={value:g}" if not isinstance(value, str) else f"{name.upper()}={value}"
        for name, value in load._asdict().items()
    )
    yield (
        f"batches of {made.fill:.2f}, {made.seconds * 1000:.0f} ms each, "
        f"{made.concurrency:.2f} at the same time"
    )
    yield ""
    yield f"{'':44}{'a month':>18}{'':14}{'$ a month':>12}{'$ per million':>15}"
    for part in PARTS:
        for line in (each for each in own.lines if each.part == part):
            yield (
                f"{part:8}{line.name:36}{line.quantity:>18,.2f} {line.price.unit:13}"
                f"{line.dollars:>12,.2f}{line.dollars / own.deliveries * 1e6:>15.4f}"
            )
        each_million = own.per_million(part)
        dollars = each_million * own.deliveries / 1e6
        yield f"{part:8}{'= ' + part:67}{dollars:>12,.2f}{each_million:>15.4f}"
    yield f"{'all':75}{own.dollars:>12,.2f}{own.per_million():>15.4f}"
    yield ""
    yield f"Delivery alone is ${own.per_million(DELIVER):.2f} per million. The same deliveries by"
    for name, lacks in rivals.LACKS.items():
        yield f"  {name}: ${rivals.bill(name, load).per_million():.2f}; {lacks}"
    yield from notes()


def notes() -> Iterator[str]:
    """Where prices and CPU are from."""
    yield f"List prices of {prices.REGION}, {prices.DATE}, no free tier."
    yield f"CPU: {measured.cpu().source}."


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    try:
        if arguments:
            print(*statement(parse(arguments)), sep="\n")
            return 0
    except WrongLoadError as error:
        print(error, file=sys.stderr)
        return 2
    print(*table(), sep="\n")
    picture.PICTURE.write_text(picture.draw())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
