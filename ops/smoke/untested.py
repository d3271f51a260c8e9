"""The list of what has not been tested on AWS, and what a run says of each."""

from collections.abc import Mapping

from ops.smoke.access import AUTHORIZER
from ops.smoke.alarms import HEARD
from ops.smoke.iam import IAM
from ops.smoke.lambdas import COLD, ENABLED
from ops.smoke.report import Report
from ops.smoke.target import Target

UNTESTED: Mapping[str, str] = {
    "iam": "IAM as AWS itself evaluates it",
    "mappings": "how long mappings take to change their states",
    "cold-starts": "cold starts on Lambda's own machines",
    "alarms": "alarms, and that somebody hears of them",
    "authorizer": "API Gateway's JWT authorizer",
    "providers": "OpenID providers",
    "poller": "how Lambda's poller scales",
    "in-flight": "SQS's in-flight limit",
    "gateway": "API Gateway's own limits",
}
"""What has not been tested, as docs/operations.md lists it."""

CHECKS: Mapping[str, str] = {
    "iam": IAM,
    "mappings": ENABLED,
    "cold-starts": COLD,
    "alarms": HEARD,
    "authorizer": AUTHORIZER,
}
"""The checks that test it."""

OUT_OF_REACH: Mapping[str, str] = {
    "providers": "a person has to sign in",
    "poller": "it takes a load of thousands of events",
    "in-flight": "it takes 120,000 messages in flight",
    "gateway": "it takes thousands of requests a second",
}
"""Why a run of minutes that costs less than a cent cannot test the others."""


def list_untested(target: Target, report: Report) -> None:
    """Go down the list, and say what this run says of each."""
    report.say("what has not been tested:")
    for key, text in UNTESTED.items():
        if key in OUT_OF_REACH:
            report.say(f"  not reachable {text}: {OUT_OF_REACH[key]}")
        elif target.is_local:
            report.say(f"  not reachable {text}: this is the local stack, not AWS")
        else:
            report.say(f"  {report.known(CHECKS[key]) or 'not reachable':<13} {text}")
