"""The schemas and their examples agree with the code that reads and writes such bodies."""

from typing import Any

from dataconnectors.api.openapi.examples import PROJECT, TIME
from dataconnectors.api.openapi.schemas import SCHEMAS
from dataconnectors.connectors.configuration_request import parse_create, parse_patch
from dataconnectors.connectors.secrets import NO_SECRETS
from dataconnectors.devices.device_requests import parse_emulated_device
from dataconnectors.devices.label_change import parse_label_batch
from dataconnectors.events.event import parse_event
from dataconnectors.identity import roles
from dataconnectors.identity.members import parse_email, parse_roles

NOW = 1769860800.0
"""The time of the examples, in epoch seconds."""


def test_examples_are_accepted_by_the_code_that_reads_them() -> None:
    def example(name: str) -> Any:
        return SCHEMAS[name]["examples"][0]

    made = parse_create(example("NewDataConnector"), lambda _: None)
    assert made.secrets != NO_SECRETS
    for change in SCHEMAS["DataConnectorChange"]["examples"]:
        assert parse_patch(change, None, made, lambda _: None, NOW) != made
    for event in example("PublishedEvents")["events"]:
        parse_event(event, PROJECT, NOW)
    parse_label_batch(example("LabelBatch"))
    parse_emulated_device(example("NewDevice"), PROJECT, "1", TIME)
    for name, allowed in (
        ("NewMember", roles.PROJECT_ROLES),
        ("NewOrganizationMember", roles.ORGANIZATION_ROLES),
    ):
        parse_email(example(name)["email"])
        parse_roles(example(name)["roles"], allowed)


def test_the_schema_of_a_connector_has_the_fields_of_an_answer() -> None:
    shown = SCHEMAS["DataConnector"]
    assert set(shown["required"]) == set(shown["properties"])
    assert set(shown["examples"][0]) == set(shown["properties"])
