"""The OpenAPI document follows the OpenAPI specification."""

import json
import re
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from dataconnectors.api import reference
from dataconnectors.api.openapi.document import build

DOCUMENT = build()


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_survives_a_round_trip_through_json() -> None:
    assert json.loads(reference.document()) == DOCUMENT


def test_the_document_is_not_imported_at_cold_starts() -> None:
    """Other packages import the document only inside the functions that need it."""
    package = Path(reference.__file__).parents[1]
    for module in package.rglob("*.py"):
        if module.parent.name != "openapi":
            assert not re.search(
                r"^(from|import) dataconnectors.api.openapi", module.read_text(), re.M
            )


def test_each_schema_and_parameter_is_used() -> None:
    text = json.dumps(DOCUMENT)
    for kind in ("schemas", "parameters", "responses"):
        for name in DOCUMENT["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name
