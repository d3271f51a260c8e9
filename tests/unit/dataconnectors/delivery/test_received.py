"""What is known about the messages of a batch before they are read."""

from dataconnectors.delivery.received import oldest_age
from tests.support.sender_bench import NOW, received


def test_the_oldest_age_is_never_negative() -> None:
    assert oldest_age([], NOW) == 0
    assert oldest_age([received("a", age=-5)], NOW) == 0
    assert oldest_age([received("a", age=3), received("b", age=70)], NOW) == 70
