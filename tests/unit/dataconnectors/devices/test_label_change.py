"""What a request changes about labels."""

import pytest

from dataconnectors.devices.label_change import LabelChange
from dataconnectors.kernel.errors import BadRequestError


def test_removing_comes_before_adding_and_the_limit_after_both() -> None:
    full = {f"k{n}": "" for n in range(50)}
    swap = LabelChange({"new": ""}, frozenset({"k0"}))
    assert len(swap.apply_to(full)) == 50
    with pytest.raises(BadRequestError, match="51 given, at most 50"):
        LabelChange({"new": ""}, frozenset()).apply_to(full)
