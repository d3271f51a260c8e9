"""Compares what the functions need in a test run with what is recorded; a difference fails the run.

A new call fails every run. A recorded call that no test makes any more fails a run of all tests.
Calls are compared without those that others imply: which keys of a batch DynamoDB leaves to a
second call is chance, in the fault run too.
`--record-calls` writes the file instead: a run of all tests replaces it, others add to it.
"""

from collections import defaultdict

import pytest

from tests.permissions import recorder as file
from tests.permissions.calls import Permission
from tests.permissions.recorder import Recorded, recorder

_AGAIN = "`make permissions RECORD=1` records all calls again: look at the difference"

First = dict[tuple[str, Permission], str]

_collected: First = {}
_differences: list[str] = []

recorder.install()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-calls",
        action="store_true",
        help="write the functions' calls of AWS to tests/permissions/recorded.json",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    recorder.test = item.nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a process of `pytest -n` has recorded."""
    for function, entry, test in getattr(node, "workeroutput", {}).get("calls", ()):
        _collected.setdefault((function, Permission.of(*entry)), test)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["calls"] = [
            (function, list(permission), test)
            for (function, permission), test in recorder.first.items()
        ]
        return
    found = recorder.first | _collected
    if session.config.getoption("--record-calls"):
        recorded = _by_function(found)
        if not _is_whole(session):
            for function, entries in file.read().items():
                recorded[function] = _without_implied(recorded.get(function, set()) | entries)
        file.write(recorded)
        return
    _differences.extend(differences(found, file.read(), whole=_is_whole(session)))
    if _differences and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _differences:
        terminalreporter.section("calls of AWS", red=True)
        for line in (*_differences, _AGAIN):
            terminalreporter.line(line)


def differences(found: First, recorded: Recorded, *, whole: bool) -> list[str]:
    """What differs, as sentences. `whole`: all tests ran, so nothing recorded may be missing."""
    new = [
        f"new: {function} needs {permission} (first in {test})"
        for (function, permission), test in sorted(found.items())
        if not any(permission.is_implied_by(each) for each in recorded.get(function, ()))
    ]
    if not whole:
        return new
    needed = _by_function(found)
    return new + [
        f"no test makes it any more: {function} needs {permission}"
        for function, entries in sorted(recorded.items())
        for permission in sorted(entries - needed.get(function, set()))
    ]


def _by_function(found: First) -> Recorded:
    recorded: Recorded = defaultdict(set)
    for function, permission in found:
        recorded[function].add(permission)
    return {function: _without_implied(entries) for function, entries in recorded.items()}


def _without_implied(entries: set[Permission]) -> set[Permission]:
    return {
        entry
        for entry in entries
        if not any(entry != other and entry.is_implied_by(other) for other in entries)
    }


def _is_whole(session: pytest.Session) -> bool:
    """Whether all tests ran, to their ends."""
    config = session.config
    chosen = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "deselect"))
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not chosen and session.exitstatus == pytest.ExitCode.OK
