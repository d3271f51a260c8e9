"""How the local Runtime API starts and invokes a function, with a small fake of its client."""

import sys
from pathlib import Path

import pytest

from local.invoke import logical_id
from local.runtime import Function, RuntimeHost, RuntimeHostError

# Behaves as awslambdaric: it reports a failed start, or asks for events and answers them.
CLIENT = """\
import http.client, importlib, json, os, sys
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, value=None):
    api.request(method, "/2018-06-01/runtime" + path, None if value is None else json.dumps(value))
    answer = api.getresponse()
    return answer.headers, answer.read()
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
module, name = sys.argv[1].split(".")
try:
    handler = getattr(importlib.import_module(module), name)
except ImportError as error:
    call("POST", "/init/error", {"errorMessage": str(error)})
    sys.exit(1)
while True:
    headers, event = call("GET", "/invocation/next")
    path = "/invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        result = handler(json.loads(event), None)
    except Exception as error:
        call("POST", path + "/error", {"errorMessage": str(error)})
    else:
        call("POST", path + "/response", result)
"""


@pytest.fixture
def function(tmp_path: Path) -> Function:
    client = tmp_path / "layer" / "python" / "awslambdaric"
    client.mkdir(parents=True)
    (client / "__main__.py").write_text(CLIENT)
    (tmp_path / "code").mkdir()
    return Function(
        name="sender",
        handler="app.lambda_handler",
        code=tmp_path / "code",
        layer=tmp_path / "layer",
        environment={"TABLE_NAME": "table"},
        timeout=5,
        memory=256,
    )


def write(function: Function, text: str) -> None:
    (function.code / "app.py").write_text(text)


def host(function: Function) -> RuntimeHost:
    return RuntimeHost(Path(sys.executable), function)


def test_a_function_answers_each_event_in_its_own_environment(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "from the shell")
    write(
        function,
        "import os\n"
        "def lambda_handler(event, context):\n"
        "    return [event, os.environ['TABLE_NAME'], os.environ.get('LEAKED')]\n",
    )
    with host(function) as running:
        for event in ({"a": 1}, ["b"]):
            outcome = running.invoke(event)
            assert (outcome.kind, outcome.value) == ("response", [event, "table", None])


def test_an_error_of_the_handler_is_returned_as_the_outcome(function: Function) -> None:
    write(function, "def lambda_handler(event, context):\n    raise ValueError('no')\n")
    with host(function) as running:
        outcome = running.invoke({})
    assert (outcome.kind, outcome.value) == ("error", {"errorMessage": "no"})


def test_a_missing_dependency_is_named(function: Function) -> None:
    write(function, "import missing_dependency\n")
    with (
        pytest.raises(RuntimeHostError, match="No module named 'missing_dependency'"),
        host(function),
    ):
        pass


def test_a_runtime_that_ends_at_once_did_not_start(function: Function) -> None:
    write(function, "raise SystemExit\n")
    with pytest.raises(RuntimeHostError, match="sender did not start"), host(function):
        pass


@pytest.mark.parametrize(
    ("folder", "name"),
    [("sender", "SenderFunction"), ("config_api", "ConfigApiFunction")],
)
def test_the_logical_id_follows_from_the_folders_name(folder: str, name: str) -> None:
    assert logical_id(folder) == name
