"""The OpenAPI document, against the specification and against the code that it describes."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dataconnectors.api import reference
from dataconnectors.api.openapi import schemas
from dataconnectors.api.openapi.document import build
from dataconnectors.api.openapi.operations import OPERATIONS, TAGS
from dataconnectors.connectors import configuration
from dataconnectors.connectors.secrets import NO_SECRETS
from dataconnectors.devices import device as devices
from dataconnectors.devices import labels
from dataconnectors.events import event as events
from dataconnectors.events.event import EVENT_TYPES, EventError
from dataconnectors.identity import roles
from dataconnectors.identity.members import parse_email, parse_roles

NOW = 1769860800.0
"""Of the examples' time."""

DOCUMENT = build()
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_survives_json() -> None:
    assert json.loads(reference.document()) == DOCUMENT


def test_cold_starts_do_not_pay_for_it() -> None:
    """No module imports it but in a function that is called for it."""
    package = Path(reference.__file__).parents[1]
    for module in package.rglob("*.py"):
        if module.parent.name != "openapi":
            assert not re.search(
                r"^(from|import) dataconnectors.api.openapi", module.read_text(), re.M
            )


def test_operations_have_ids_of_their_own_and_a_tag_that_is_explained() -> None:
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert {operation.tag for operation in OPERATIONS} == set(TAGS)


def test_each_schema_and_parameter_is_used() -> None:
    text = json.dumps(DOCUMENT)
    for kind in ("schemas", "parameters", "responses"):
        for name in DOCUMENT["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name


def test_permissions_exist() -> None:
    needed = {operation.permission for operation in OPERATIONS} - {None, ""}
    assert needed <= roles.permissions(roles.ROLES)


def named(event_type: str, *, published: bool) -> dict[str, Any]:
    prefix = "Published" if published else ""
    name = f"{prefix}{event_type[0].upper()}{event_type[1:]}Data"
    found: dict[str, Any] = SCHEMAS[name]
    return found


def value_of(schema: dict[str, Any]) -> Any:
    """Some value that a schema of event data allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return schemas.TIME
    match schema["type"]:
        case "object":
            return {
                name: value_of(schema["properties"][name]) for name in schema.get("required", ())
            }
        case "array":
            return [value_of(schema["items"])]
        case "string":
            return "text"
        case "boolean":
            return True
    return 1


@pytest.mark.parametrize("event_type", schemas.REPORTED)
def test_event_data_is_described_as_it_is_checked(event_type: str) -> None:
    answered = named(event_type, published=False)
    assert set(answered["properties"]) == {*EVENT_TYPES[event_type], "updateTime"}
    assert set(answered["required"]) == set(answered["properties"])
    for field, check in EVENT_TYPES[event_type].items():
        schema = answered["properties"][field]
        for value in schema.get("enum", [value_of(schema)]):
            check(value, field)
        with pytest.raises(EventError, match=" or ".join(schema.get("enum", ["expected"]))):
            check({"none": "of these"}, field)

    published = named(event_type, published=True)
    least = value_of(published)
    event = events.from_emulator({event_type: least}, "p", "d", "e", NOW)
    assert set(json.loads(event.json)["data"][event_type]) == set(answered["properties"])
    for field in published.get("required", ()):
        lacking = {name: value for name, value in least.items() if name != field}
        with pytest.raises(EventError, match=field):
            events.from_emulator({event_type: lacking}, "p", "d", "e", NOW)


def test_labels_changed_is_described_as_it_is_checked() -> None:
    assert set(SCHEMAS["LabelsChangedData"]["properties"]) == set(EVENT_TYPES["labelsChanged"])


def test_examples_are_accepted_by_the_code_that_reads_them() -> None:
    def example(name: str) -> Any:
        return SCHEMAS[name]["examples"][0]

    made = configuration.parse_create(example("NewDataConnector"), lambda _: None)
    assert made.secrets != NO_SECRETS
    for change in SCHEMAS["DataConnectorChange"]["examples"]:
        assert configuration.parse_patch(change, None, made, lambda _: None) != made
    for event in example("PublishedEvents")["events"]:
        events.parse(event, schemas.PROJECT, NOW)
    labels.parse_batch(example("LabelBatch"))
    devices.parse_emulated(example("NewDevice"), schemas.PROJECT, "1", schemas.TIME)
    for name, allowed in (
        ("NewMember", roles.PROJECT_ROLES),
        ("NewOrganizationMember", roles.ORGANIZATION_ROLES),
    ):
        parse_email(example(name)["email"])
        parse_roles(example(name)["roles"], allowed)


def test_connectors_are_described_as_they_are_answered() -> None:
    shown = SCHEMAS["DataConnector"]
    assert set(shown["required"]) == set(shown["properties"])
    assert set(shown["examples"][0]) == set(shown["properties"])


class Links(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")


def test_the_page_loads_nothing_and_leads_somewhere() -> None:
    text, policy = reference.page()
    page = Links()
    page.feed(text)
    assert len(set(page.ids)) == len(page.ids)
    assert page.links - {f"#{name}" for name in page.ids} == {"openapi.json", "errors"}
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"url\(|@import", text)
    for operation in OPERATIONS:
        assert f'id="{operation.id}"' in text
