"""How a list that is in memory is divided into pages."""

import pytest

from dataconnectors.kernel import paging
from dataconnectors.services.lists import ListRequest


def page(*entries: str, size: int | None = None, after: str = "") -> tuple[list[str], str]:
    """The entries on a page, and the key in its token."""
    wanted = ListRequest("things", after=after)
    if size is not None:
        wanted = ListRequest("things", size, after)
    answer = wanted.page(entries, key=str, show=str.upper)
    assert set(answer) == {"things", "nextPageToken"}
    token = answer["nextPageToken"]
    if not token:
        return answer["things"], ""
    collection, last = paging.decode_token(token)
    assert collection == "things"
    return answer["things"], last


def test_without_a_size_the_list_is_whole() -> None:
    assert page("b", "a", "c") == (["A", "B", "C"], "")
    assert page() == ([], "")


@pytest.mark.parametrize(
    ("size", "after", "expected"),
    [
        (1, "", (["A"], "a")),
        (2, "", (["A", "B"], "b")),
        (3, "", (["A", "B", "C"], "")),
        (1, "a", (["B"], "b")),
        (1, "b", (["C"], "")),
        (1, "c", ([], "")),
        (2, "aa", (["B", "C"], "")),  # The last entry of the page before was deleted
    ],
)
def test_a_page_begins_after_its_token_and_has_the_requested_size(
    size: int, after: str, expected: tuple[list[str], str]
) -> None:
    assert page("c", "a", "b", size=size, after=after) == expected
