"""Try-outs in the OpenAPI document."""

from dataconnectors.api.openapi.examples import CONNECTOR, PROJECT, TRY_OUT
from dataconnectors.api.openapi.operation import DAY, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    choice,
    count,
    described,
    flag,
    input_of,
    list_of,
    number,
    object_of,
    or_null,
    page_of,
    ref,
    text,
    texts,
    time,
)
from dataconnectors.tryouts.delivery import KEPT_SECONDS, MAXIMUM_DELIVERIES
from dataconnectors.tryouts.inspection import KEPT_BODY, MAXIMUM_BODY, SLOWEST
from dataconnectors.tryouts.try_out import LIFETIME, MAXIMUM_TRY_OUTS, TryOutAnswer

_TRY_OUTS = "/projects/{project}/tryouts"
_TRY_OUT = _TRY_OUTS + "/{tryout}"
_PERMISSION = "dataconnector.update"
_ONLY_IF_ON = "404 too where the deployment has no such endpoint (`TryOut=false`)."

OPERATIONS = (
    Operation(
        "createTryOut",
        "POST",
        _TRY_OUTS,
        "Try-outs",
        "Make an address to try a connector with",
        "TryOut",
        _PERMISSION,
        body="NewTryOut",
        description=(
            "Give the `url` to a connector. The deployment then plays its receiver: it verifies "
            f"the signature of up to {MAXIMUM_BODY // 1024} KiB, answers as `answer` says, and "
            "shows what came. What a careful receiver would refuse it refuses too: 401 without a "
            "valid signature, 400 without an event of this project, 404 from anybody else. "
            f"A project has {MAXIMUM_TRY_OUTS} addresses at most. {_ONLY_IF_ON}"
        ),
    ),
    Operation(
        "listTryOuts",
        "GET",
        _TRY_OUTS,
        "Try-outs",
        "List the addresses, the newest first",
        "TryOutList",
        _PERMISSION,
        description=_ONLY_IF_ON,
    ),
    Operation(
        "getTryOut",
        "GET",
        _TRY_OUT,
        "Try-outs",
        "Show an address and what came to it",
        "TriedTryOut",
        _PERMISSION,
        description=(
            f"The last {MAXIMUM_DELIVERIES} deliveries are kept for {KEPT_SECONDS // 60} minutes."
        ),
    ),
    Operation(
        "updateTryOut",
        "PATCH",
        _TRY_OUT,
        "Try-outs",
        "Set what an address answers",
        "TryOut",
        _PERMISSION,
        body="NewTryOut",
        description=f"Serves the address for another {LIFETIME // DAY} days.",
    ),
    Operation(
        "deleteTryOut",
        "DELETE",
        _TRY_OUT,
        "Try-outs",
        "Delete an address",
        "Empty",
        _PERMISSION,
        description="Deliveries to it get 404 from now on.",
    ),
)

_NAME = f"projects/{PROJECT}/tryouts/{TRY_OUT}"
_TIME_EXAMPLE = "2026-01-31T12:00:00.000000Z"
_ANSWER = choice(
    [answer.value for answer in TryOutAnswer],
    "The status of answers. `SLOW` is 200, one second after the deadline of an attempt, or after "
    f"{SLOWEST:.0f} s if that is later.",
)
_TRY_OUT_FIELDS = {
    "name": text(NAME),
    "url": text("The address: what a connector's `httpConfig.url` has to be."),
    "answer": _ANSWER,
    "createTime": time("When the address was made."),
    "expireTime": time("The end of the address, unless it is updated."),
}
_EXAMPLE = {
    "name": _NAME,
    "url": f"https://api.example.com/try/{PROJECT}.{TRY_OUT}",
    "answer": TryOutAnswer.OK.value,
    "createTime": _TIME_EXAMPLE,
    "expireTime": "2026-02-07T12:00:00.000000Z",
}
_DELIVERY_EXAMPLE = {
    "time": _TIME_EXAMPLE,
    "connector": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}",
    "isSignatureValid": True,
    "problem": "",
    "answered": 200,
    "answeredAfter": 0,
    "eventId": "cq1k2v3s0f4g5h6i7j9a",
    "eventType": "temperature",
    "headers": {"content-type": "application/json", "x-dt-signature": "eyJ…"},
    "body": '{"event":{…},"labels":{}}',
    "isBodyTruncated": False,
    "bytes": 412,
}

SCHEMAS = {
    "NewTryOut": input_of({"answer": or_null(_ANSWER)})
    | {"examples": [{"answer": TryOutAnswer.ERROR.value}]},
    "TryOut": object_of(_TRY_OUT_FIELDS, examples=[_EXAMPLE]),
    "TriedTryOut": object_of(
        _TRY_OUT_FIELDS | {"deliveries": list_of(ref("TriedDelivery"), "The newest first.")},
        examples=[_EXAMPLE | {"deliveries": [_DELIVERY_EXAMPLE]}],
    ),
    "TryOutList": page_of("tryouts", "TryOut"),
    "TriedDelivery": object_of(
        {
            "time": time("When it came."),
            "connector": text("The connector that it is from; empty if its signature is nobody's."),
            "isSignatureValid": described(
                or_null({"type": "boolean"}),
                "`null` for a connector that has no signature secret.",
            ),
            "problem": text("Why it was refused; empty if it was not."),
            "answered": described({"type": "integer"}, "The status of the answer."),
            "answeredAfter": number("The seconds until the answer."),
            "eventId": text("The event's id. Empty if the delivery was refused."),
            "eventType": text("The event's type. Empty if the delivery was refused."),
            "headers": texts("The headers as they came. Empty if the delivery was refused."),
            "body": text(
                f"The first {KEPT_BODY // 1024} KiB of the body. Empty if the delivery was refused."
            ),
            "isBodyTruncated": flag("Whether the body had more than is shown."),
            "bytes": count("The size of the whole body."),
        }
    ),
}
