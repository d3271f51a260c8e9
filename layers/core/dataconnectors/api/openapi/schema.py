"""Short ways to write JSON schemas, and the schemas that belong to no resource."""

from collections.abc import Iterable
from typing import Any

from dataconnectors.api.openapi.examples import TIME
from dataconnectors.kernel import fields
from dataconnectors.kernel.ids import LONGEST_ID

Schema = dict[str, Any]

ID_PATTERN = rf"^[A-Za-z0-9_-]{{1,{LONGEST_ID}}}$"
"""What ids in paths and events look like; `kernel.ids.is_id` checks the same."""


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    """A string; `more` are further keywords of JSON schema."""
    return described({"type": "string"} | more, description)


def described(schema: Schema, description: str) -> Schema:
    """The schema with a description, unless it is empty."""
    return schema | ({"description": description} if description else {})


def time(description: str) -> Schema:
    """A time as RFC 3339 writes it."""
    return text(description, format="date-time", examples=[TIME])


def number(description: str) -> Schema:
    """Any number."""
    return described({"type": "number"}, description)


def count(description: str) -> Schema:
    """A whole number that is not negative."""
    return described({"type": "integer", "minimum": 0}, description)


def flag(description: str) -> Schema:
    """True or false."""
    return described({"type": "boolean"}, description)


def choice(values: Iterable[str], description: str = "") -> Schema:
    """One of several strings."""
    return described({"type": "string", "enum": list(values)}, description)


def list_of(entries: Schema, description: str = "", **more: Any) -> Schema:
    """A list; `more` are further keywords of JSON schema."""
    return described({"type": "array", "items": entries} | more, description)


def texts(description: str) -> Schema:
    """An object with strings as values."""
    return described({"type": "object", "additionalProperties": {"type": "string"}}, description)


def or_null(schema: Schema) -> Schema:
    """The schema with null added, which some clients send for a field that they do not set."""
    nullable = schema | {"type": [schema["type"], "null"]}
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def object_of(properties: Schema, optional: Iterable[str] = (), **more: Any) -> Schema:
    """An object. All properties are required except the `optional` ones."""
    left_out = set(optional)
    required = [name for name in properties if name not in left_out]
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {}) | more


def input_of(properties: Schema, required: Iterable[str] = ()) -> Schema:
    """An object of a request. Only the named properties are required.

    Further properties are allowed, because fields that only answers have are ignored.
    """
    return object_of(properties, properties.keys() - set(required))


def page_of(collection: str, entry: str) -> Schema:
    """One page of a list: `{"<collection>": [<entry>, ...], "nextPageToken"}`."""
    return object_of({collection: list_of(ref(entry)), "nextPageToken": ref("PageToken")})


NAME = "The resource name."
"""The description of every `name`."""

DISPLAY_NAME = text("Printable characters.", maxLength=fields.LONGEST_DISPLAY_NAME)

_ERROR = {
    "error": text("What happened, to which resource, and what to do next."),
    "code": described({"type": "integer"}, "The HTTP status."),
    "help": text("The address of the explanation of the status."),
}

SCHEMAS: dict[str, Schema] = {
    "Empty": {"type": "object", "maxProperties": 0},
    "PageToken": text("The `pageToken` of the next page; empty on the last page."),
    "Error": object_of(_ERROR),
    "NotAccepted": object_of(
        _ERROR
        | {
            "accepted": count("The number of events that were accepted nevertheless."),
            "errors": list_of(
                object_of(
                    {
                        "index": count("The place of the event in the request; the first is 0."),
                        "error": text(),
                    }
                )
            ),
        },
        ("accepted", "errors"),
    ),
}
