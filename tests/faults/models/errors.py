"""Raises errors as botocore does, and checks parameters as botocore does."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
import botocore.validate
from botocore.exceptions import ClientError
from botocore.model import OperationModel

_LEGACY_SQS = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
}
"""The codes that SQS sends in `Code`. The name in botocore's model is in `QueryErrorCode`."""


class UnmodelledError(Exception):
    """Our code uses something that the models lack. Any answer could hide a fault, so this is
    raised."""


def refusal(
    code: str, operation: str, message: str = "refused", *, status: int = 400, **more: Any
) -> ClientError:
    """A `ClientError`. `more` has further fields of the response, such as `CancellationReasons`."""
    details = {"Code": _LEGACY_SQS.get(code, code), "Message": message}
    if code in _LEGACY_SQS:
        details["QueryErrorCode"] = code
    response: Any = {"Error": details, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, operation)


@cache
def operation_name(method: str) -> str:
    """AWS's name of a client's method: `SendMessageBatch` for `send_message_batch`."""
    return "".join(part.capitalize() for part in method.split("_"))


def check_parameters(service: str, method: str, parameters: Mapping[str, Any]) -> None:
    """Fail as botocore does for a parameter that is misspelt, missing or of a wrong type."""
    shape: Any = _operation(service, method).input_shape
    report = botocore.validate.ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), f"{method}: {report.generate_report()}"


@cache
def _operation(service: str, method: str) -> OperationModel:
    model = botocore.session.get_session().get_service_model(service)
    return model.operation_model(operation_name(method))
