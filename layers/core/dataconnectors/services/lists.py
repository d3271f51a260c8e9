"""Lists that fit one page: whole by default, in pages when a request asks for a page size.

The vendor's SDK shares the parameters of such lists between its calls: after one list had a second
page, the SDK sends that page's token along with the first request of every later list. So these
lists must not have a second page unless a client asks for a size, which the SDK never does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from dataconnectors.kernel import paging

WHOLE = 999_999_999
"""The page size when a request names none: more than any of these lists holds. A request may not
name a larger one."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which page of a list a request asks for.

    `collection` is the name of the entries in the answer, `size` the most entries on the page, and
    `after` the key of the last entry on the page before ("" for the first page).
    """

    collection: str
    size: int = WHOLE
    after: str = ""

    def page(
        self,
        entries: Iterable[Entry],
        key: Callable[[Entry], str],
        show: Callable[[Entry], Any],
    ) -> dict[str, Any]:
        """The answer with the page of `entries`, in the order of their keys, which are unique.

        `show` gives what the answer holds of an entry. A page may begin after an entry that is
        gone by then, because keys are compared and not looked up.
        """
        rest = sorted((entry for entry in entries if key(entry) > self.after), key=key)
        shown = rest[: self.size]
        last = key(shown[-1]) if len(rest) > len(shown) else ""
        return self.answer([show(entry) for entry in shown], last)

    def answer(self, shown: list[Any], last: str) -> dict[str, Any]:
        """The answer with a page that ends with the key `last`; "" for the last page."""
        token = paging.encode_token([self.collection, last]) if last else ""
        return {self.collection: shown, "nextPageToken": token}
