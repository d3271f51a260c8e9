"""The sample Lambda keeps the contract, or the comparison would be with something easier."""

import importlib.util
import json
from types import ModuleType

import pytest
import requests
import responses

from bench.compare.contender import SECRET, an_event
from bench.compare.lambdas import SAMPLE
from bench.compare.receiver import is_signed

URL = "https://receiver.example/hook"


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("TIMEOUT", "3")
    spec = importlib.util.spec_from_file_location("sample_app", SAMPLE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@responses.activate
def test_it_signs_each_body_and_reports_those_that_failed(sample: ModuleType) -> None:
    bodies = [an_event(f"e{number}", 0).body for number in range(3)]
    answers: list[int | Exception] = [200, 500, requests.ReadTimeout()]
    for answer in answers:
        if isinstance(answer, Exception):
            responses.post(URL, body=answer)
        else:
            responses.post(URL, status=answer)
    records = [
        {"messageId": str(number), "body": json.dumps({"url": URL, "body": body})}
        for number, body in enumerate(bodies)
    ]
    failed = sample.lambda_handler({"Records": records}, None)["batchItemFailures"]
    assert failed == [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]
    assert len(responses.calls) == len(bodies)
    for call, body in zip(responses.calls, bodies, strict=True):
        assert call.request.body == body.encode()
        assert is_signed(call.request.headers["X-Dt-Signature"], body.encode(), SECRET)
        assert not is_signed(call.request.headers["X-Dt-Signature"], b"{}", SECRET)
