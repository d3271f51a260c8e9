"""What AWS's own senders cost for the same deliveries. They are asked by a program in AWS."""

from bench.cost import measured, prices
from bench.cost.model import DELIVER, GIGABYTE, MONTH, SQS_CHUNK, Bill, Line, Load

SNS = "SNS, HTTP/S"
BUS = "EventBridge, API destination"

LACKS = {
    SNS: "retries for an hour at most; its own signature; endpoints confirm a subscription first",
    BUS: "5 s for an answer; 300 a second for an endpoint; no 4xx but 429 is retried; no signature",
}
"""What each of them does not do. Neither keeps events to read back or to replay, or says how an
endpoint does."""


def bill(name: str, load: Load) -> Bill:
    """A month of SNS or of EventBridge. They bill neither attempts nor waiting."""
    events = load.rate * MONTH * max(1, -(-load.bytes // SQS_CHUNK))
    sent = load.rate / (1 - load.failures) * MONTH * (load.bytes + measured.HEADER_BYTES)
    first, second = {
        SNS: (prices.SNS_PUBLISH, prices.SNS_DELIVERY),
        BUS: (prices.BUS_EVENT, prices.API_DESTINATION),
    }[name]
    lines = (
        Line(DELIVER, "publish", events, first),
        Line(DELIVER, "deliver", events, second),
        Line(DELIVER, "attempts: data out", sent / GIGABYTE, prices.TRANSFER_OUT),
    )
    return Bill(lines, load.rate * MONTH)
