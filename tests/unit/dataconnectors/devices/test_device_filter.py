"""How the filters of a device list are read."""

import pytest

from dataconnectors.devices.device_filter import parse_device_filter


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("label_filters=a%3Db", [("a", "b")]),
        ("label_filters=a=b", [("a", "b")]),
        ("label_filters=a%3D", [("a", "")]),
        ("label_filters=a", [("a", "")]),
        ("label_filters=a%3Db%3Dc", [("a", "b=c")]),
        ("label_filters=a%3Db%2Cc", [("a", "b,c")]),
        ("label_filters=a%3Db,c%3Dd&label_filters=e", [("a", "b"), ("c", "d"), ("e", "")]),
        ("labelFilters=%C3%A4+b%3D1", [("ä b", "1")]),
        ("label_filters=", []),
        ("", []),
    ],
)
def test_a_label_filter_is_read_in_every_spelling(
    query: str, expected: list[tuple[str, str]]
) -> None:
    assert list(parse_device_filter({"rawQueryString": query}).labels) == expected
