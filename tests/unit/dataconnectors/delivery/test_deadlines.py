"""A batch starts nothing that cannot end before the function's timeout."""

from tests.support.sender_bench import CUTOFF, SenderBench, received


def test_no_attempt_starts_that_cannot_end_in_time(bench: SenderBench) -> None:
    # An attempt takes 10 s and a tenth of that, what follows 2 s, and the return 0.5 s.
    assert bench.send(received("a"), seconds=13.4) == {"a"}
    assert (bench.reads, bench.posted) == ([], [])
    assert bench.send(received("a"), seconds=13.6) == set()


def test_an_event_that_the_batch_has_no_time_for_comes_back_at_once(bench: SenderBench) -> None:
    """The event is due. If its visibility timeout were left as it is, it would wait three
    minutes."""
    old, young = received("old", age=CUTOFF - 60.0), received("young")
    assert bench.send(old, young, seconds=13.4) == {"old", "young"}
    assert bench.sqs.visibility == {"old": 0, "young": 0}
