"""The runs find mistakes: each mutant has one, and a violation names it."""

import pytest

from tests.faults.mutants import EVENTS, MUTANTS, Mutant, try_out


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_run_finds_the_mutant(mutant: Mutant) -> None:
    verdict = try_out(mutant)
    assert verdict.is_caught, verdict.report.violations or f"unseen in {EVENTS} events"
