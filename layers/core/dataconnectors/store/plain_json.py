"""DynamoDB's answers read by the standard library's JSON reader alone."""

import base64
import json
from typing import Any

OK = 200


def use_plain_json(dynamodb: Any) -> Any:
    """Make a botocore client read the items of its queries without botocore's own parser.

    That looks at each attribute against a model of all the types it could have, and takes four
    fifths of the CPU of a large list. What callers get is the same; `dynamodb` is given back.
    """
    dynamodb.meta.events.register("before-parse.dynamodb.Query", _read)
    return dynamodb


def _read(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """What botocore calls before it parses an answer; what is put into the second is returned."""
    if response_dict["status_code"] != OK:
        return
    body = response_dict["body"]
    # An attribute of bytes comes in base64. Texts cannot look like one: their quotes are escaped.
    hook = _bytes if b'"B":' in body else None
    try:
        customized_response_dict.update(json.loads(body, object_hook=hook))
    except ValueError:
        return  # botocore knows what to do about an answer that was cut off
    response_dict["body"] = b"{}"


def _bytes(value: dict[str, Any]) -> dict[str, Any]:
    text = value.get("B")
    return {"B": base64.b64decode(text)} if len(value) == 1 and isinstance(text, str) else value
