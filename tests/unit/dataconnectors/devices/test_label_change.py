"""How a request changes the labels of a device."""

import pytest

from dataconnectors.devices.label_change import LabelChange
from dataconnectors.kernel.errors import BadRequestError


def test_labels_are_removed_before_others_are_added_and_the_limit_applies_to_the_result() -> None:
    full = {f"k{n}": "" for n in range(50)}
    swap = LabelChange({"new": ""}, frozenset({"k0"}))
    assert len(swap.apply_to(full)) == 50
    with pytest.raises(BadRequestError, match="51 given, at most 50"):
        LabelChange({"new": ""}, frozenset()).apply_to(full)
