"""The runs are proved to see: each mistake that a mutant makes is noticed, for what it is."""

import pytest

from tests.faults.mutants import EVENTS, MUTANTS, Mutant, try_out


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    verdict = try_out(mutant)
    assert verdict.is_caught, verdict.report.violations or f"unseen in {EVENTS} events"
