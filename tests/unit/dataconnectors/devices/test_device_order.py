"""How device lists are ordered and paged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.devices.device import Device, DeviceState
from dataconnectors.devices.device_order import DeviceOrder, parse_device_order, parse_position


def state(device: str, value: Any = None) -> DeviceState:
    text = json.dumps({"data": {"co2": {"ppm": value}}})
    events = {} if value is None else {"co2": text}
    return DeviceState(Device("p1", device, "co2", {}, "", ""), events)


VALUES = st.one_of(
    st.none(), st.integers(-3, 3), st.floats(-1, 1), st.booleans(), st.sampled_from(["a", "b"])
)


@given(st.lists(VALUES, max_size=12), st.booleans(), st.integers(1, 4))
def test_all_pages_together_show_each_device_once_and_in_order(
    values: list[Any], descending: bool, size: int
) -> None:
    states = [state(f"d{number:02d}", value) for number, value in enumerate(values)]
    order = DeviceOrder(("reported", "co2", "ppm"), descending)
    whole = order.sort(states)
    paged = []
    position: list[Any] | None = None
    for _ in range(len(values) + 1):
        rest = order.sort(states)
        place = parse_position(position)
        if place is not None:
            rest = order.after(rest, place)
        if not rest:
            break
        paged += rest[:size]
        key, last = paged[-1]
        position = json.loads(json.dumps([key, last.device.id]))
    assert paged == whole
    missing = [key is None for key, _ in whole]
    assert missing == sorted(missing)


def test_the_next_page_continues_after_a_device_that_was_deleted_meanwhile() -> None:
    states = [state(f"d{number}", number) for number in range(4)]
    order = DeviceOrder(("reported", "co2", "ppm"), descending=False)
    rest = order.after(order.sort([states[0], states[3]]), (order.sort_key(states[1]), "d1"))
    assert [found.device.id for _, found in rest] == ["d3"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("name", ("name",)),
        ("labels.a.b", ("labels", "a.b")),
        ("reported.temperature.value", ("reported", "temperature", "value")),
        ("reported.networkStatus.a.b", ("reported", "networkStatus", "a", "b")),
    ],
)
def test_a_list_can_be_ordered_by_each_documented_field(text: str, path: tuple[str, ...]) -> None:
    for prefix in ("", "-"):
        query = {"rawQueryString": f"order_by={prefix}{text}"}
        assert parse_device_order(query) == DeviceOrder(path, descending=bool(prefix))
