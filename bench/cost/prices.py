"""AWS's list prices in dollars, for us-east-1 and without a free tier, as of `DATE`.

The only place with prices: the cost model and the simulation of outages both compute with these.
"""

from typing import NamedTuple

REGION = "us-east-1"
DATE = "2026-09"


class Price(NamedTuple):
    """Dollars for one `unit`."""

    dollars: float
    unit: str
    source: str


LIST = "AWS's public price sheets"
PAGE = "AWS's pricing page, from memory"
"""Where a price is from. Those of `PAGE` were not confirmed from a price sheet."""

MILLION = 1e6

API_REQUEST = Price(1.00 / MILLION, "request", LIST)  # HTTP API; begun 512 KB each
LAMBDA_REQUEST = Price(0.20 / MILLION, "request", LIST)
LAMBDA_GB_SECOND = Price(0.0000133334, "GB-second", LIST)  # arm64
SQS_REQUEST = Price(0.40 / MILLION, "request", LIST)  # begun 64 KB each
READ_UNIT = Price(0.125 / MILLION, "read unit", LIST)  # DynamoDB on demand
WRITE_UNIT = Price(0.625 / MILLION, "write unit", LIST)
TABLE_STORAGE = Price(0.25, "GB-month", LIST)
TABLE_RECOVERY = Price(0.20, "GB-month", PAGE)  # point-in-time recovery
KMS_REQUEST = Price(0.03 / 10_000, "request", LIST)
KMS_KEY = Price(1.00, "month", LIST)
LOG_INGESTED = Price(0.50, "GB", LIST)
LOG_STORED = Price(0.03, "GB-month", LIST)
METRIC = Price(0.30, "month", LIST)
METRIC_READ = Price(0.01 / 1000, "metric", PAGE)  # GetMetricData
ALARM = Price(0.10, "month", LIST)
DASHBOARD = Price(3.00, "month", PAGE)
TRANSFER_OUT = Price(0.09, "GB", LIST)
NAT_GATEWAY = Price(0.045, "hour", LIST)
NAT_TRAFFIC = Price(0.045, "GB", LIST)
PUBLIC_ADDRESS = Price(0.005, "hour", PAGE)
SNS_PUBLISH = Price(0.50 / MILLION, "request", LIST)  # begun 64 KB each
SNS_DELIVERY = Price(0.60 / MILLION, "request", LIST)  # over HTTP/S
BUS_EVENT = Price(1.00 / MILLION, "request", LIST)  # EventBridge; begun 64 KB each
API_DESTINATION = Price(0.20 / MILLION, "request", LIST)
