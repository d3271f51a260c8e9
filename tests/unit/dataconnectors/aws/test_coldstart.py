"""What a cold start imports.

Each test runs a new Python process, because this one has imported everything already.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).parents[4] / "layers/core"

PROGRAM = """
import gc, json, sys
from dataconnectors.aws import coldstart
before = gc.get_freeze_count()
coldstart.begin()
assert not gc.isenabled()
{imports}
coldstart.end()
assert gc.isenabled() and gc.get_freeze_count() > before
print(json.dumps(sorted(sys.modules)))
"""


def modules(imports: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(imports=imports)],
        env={"PYTHONPATH": str(CORE)},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    ("imports", "wanted", "unwanted"),
    [
        (
            "from aws_lambda_powertools import Logger; Logger(service='x')",
            "aws_lambda_powertools.logging.logger",
            "aws_lambda_powertools.metrics",
        ),
        (
            "from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver",
            "aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event",
            "asyncio",
        ),
        ("from jwt.api_jws import PyJWS", "jwt.algorithms", "jwt.jwks_client"),
    ],
)
def test_importing_a_module_does_not_import_its_siblings(
    imports: str, wanted: str, unwanted: str
) -> None:
    imported = modules(imports)
    assert wanted in imported
    assert unwanted not in imported


@pytest.mark.parametrize(
    "imports",
    [
        "from aws_lambda_powertools import Metrics, Tracer, single_metric",
        "import aws_lambda_powertools; assert aws_lambda_powertools.__all__",
        "from aws_lambda_powertools import shared; assert shared.__name__.endswith('.shared')",
        "from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source",
        "from aws_lambda_powertools.event_handler import ALBResolver, Response, content_types",
        "import jwt; assert jwt.decode(jwt.encode({}, 'x' * 32), 'x' * 32, ['HS256']) == {}",
        "import jwt; assert jwt.__version__ and jwt.PyJWKClient and jwt.InvalidTokenError",
        "import jwt; assert not hasattr(jwt, 'nonsense')",
    ],
)
def test_the_other_modules_of_a_package_can_still_be_imported(imports: str) -> None:
    modules(imports)
