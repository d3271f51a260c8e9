"""The dialler connects to allowed addresses only, whatever a name resolves to."""

import socket
import threading
from ipaddress import ip_network
from typing import Any

import pytest

from dataconnectors.endpoints.dialler import (
    ADDRESSES_TRIED,
    LOOKUPS_AT_ONCE,
    Dialler,
    Resolved,
    SocketAddress,
)
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer, NoAnswerError
from tests.support.addresses import PRIVATE

PUBLIC = ("93.184.216.34", "2606:4700::1111")


class FakeSocket:
    """Connected to `peer`."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.closed = False

    def getpeername(self) -> SocketAddress:
        return (self.peer, 443)

    def close(self) -> None:
        self.closed = True


class Network:
    """A fake of the name service and the network.

    Each lookup gets the next of `answers`; the last one is repeated. `dead` addresses do not
    connect, and `diverted` ones connect to another address.
    """

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.lookups = 0
        self.dialled: list[str] = []
        self.shares: list[float] = []
        self.dead: set[str] = set()
        self.diverted: dict[str, str] = {}
        self.sockets: list[FakeSocket] = []

    def resolve(self, host: str, port: int) -> Resolved:
        self.lookups += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in answer
        ]

    def dial(self, family: socket.AddressFamily, address: SocketAddress, timeout: float) -> Any:
        where = str(address[0])
        self.dialled.append(where)
        self.shares.append(timeout)
        if where in self.dead:
            raise TimeoutError
        self.sockets.append(FakeSocket(self.diverted.get(where, where)))
        return self.sockets[-1]

    def connect(self, *allowed: str) -> Any:
        networks = [ip_network(network) for network in allowed]
        dialler = Dialler(networks, resolve=self.resolve, dial=self.dial)
        return dialler.connect("host.example", 443, Limits(10))


SPELLINGS = (
    *("localhost", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1"),
    *("017700000001", "0", "0x0", "2852039166", "0xa9fea9fe", "0xa9.254.0251.254", "10.1"),
    *("::1", "::", "0:0:0:0:0:0:0:1", "::ffff:7f00:1", "::ffff:127.0.0.1", "fe80::1"),
    *("0X7F.0.0.1", "00000177.1", "127.0x1", "169.16689662", "0251.0376.0251.0376", "4294967295"),
    *("::FFFF:127.0.0.1", "::ffff:a9fe:a9fe", "fe80::1%1", "::1%lo", "64:ff9b::7f00:1", "0.1"),
    *("127.0.0.1.", "\U0001d7cf\U0001d7d0\U0001d7d5.1", "\u00b9\u00b2\u2077.1", "127\uff0e1"),
    *(
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.1",
    ),
)
"""Hosts that the system's resolver reads as addresses, without a lookup."""

HOSTILE = [
    *[(address,) for address in PRIVATE],
    *[(PUBLIC[0], address) for address in ("127.0.0.1", "169.254.169.254", "::1", "fe80::1%1")],
    *[(address, PUBLIC[0]) for address in ("10.0.0.1", "fd00:ec2::254", "fe80::1%eth0")],
    ("not an address",),
]


def test_there_are_many_hostile_targets() -> None:
    assert len(HOSTILE) + len(SPELLINGS) >= 80


@pytest.mark.parametrize("answer", HOSTILE, ids=" ".join)
def test_nothing_is_dialled_when_any_resolved_address_is_not_public(
    answer: tuple[str, ...],
) -> None:
    network = Network(answer)
    with pytest.raises(NoAnswerError) as caught:
        network.connect()
    assert caught.value.no_answer.kind is FailureKind.REFUSED_ADDRESS
    assert network.dialled == []


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_an_address_gets_past_the_resolver(host: str) -> None:
    network = Network(())
    with pytest.raises(NoAnswerError) as caught:
        Dialler((), dial=network.dial).connect(host, 443, Limits(10))
    assert caught.value.no_answer.kind in {FailureKind.REFUSED_ADDRESS, FailureKind.DNS}
    assert network.dialled == []


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("count", [1, ADDRESSES_TRIED, 30])
def test_a_private_address_is_found_at_any_position_among_public_ones(
    count: int, order: int
) -> None:
    """This includes positions so late that the dialler would never try that address."""
    answer = (*[f"93.184.216.{number}" for number in range(count)], "169.254.170.2")[::order]
    network = Network(answer)
    with pytest.raises(NoAnswerError) as caught:
        network.connect()
    assert caught.value.no_answer == NoAnswer(
        FailureKind.REFUSED_ADDRESS,
        "host.example has the address 169.254.170.2, which is not public",
    )
    assert network.dialled == []


def test_a_refused_address_is_not_reported_as_an_os_error() -> None:
    assert not issubclass(NoAnswerError, OSError)


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled() -> None:
    """Against DNS rebinding: a second lookup would return another address."""
    network = Network(PUBLIC[:1], ("127.0.0.1",))
    network.connect()
    assert network.dialled == [PUBLIC[0]]
    assert network.lookups == 1
    with pytest.raises(NoAnswerError):
        network.connect()
    assert network.dialled == [PUBLIC[0]]


def test_a_connection_to_another_address_than_the_checked_one_is_closed() -> None:
    network = Network(PUBLIC[:1])
    network.diverted[PUBLIC[0]] = "10.0.0.1"
    with pytest.raises(NoAnswerError) as caught:
        network.connect()
    assert caught.value.no_answer.kind is FailureKind.REFUSED_ADDRESS
    assert network.sockets[0].closed


def test_allowed_networks_are_dialled() -> None:
    network = Network(("127.0.0.1", "10.1.2.3"))
    network.connect("127.0.0.0/8", "10.1.0.0/16")
    assert network.dialled == ["127.0.0.1"]


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    network = Network(PUBLIC)
    network.dead = {PUBLIC[0]}
    assert network.connect().peer == PUBLIC[1]
    assert network.shares[0] == pytest.approx(5, abs=0.5)
    assert network.shares[1] == pytest.approx(10, abs=0.5)


def test_the_number_of_tried_addresses_is_limited_and_the_error_names_them() -> None:
    many = tuple(f"93.184.216.{number}" for number in range(40))
    network = Network(many)
    network.dead = set(many)
    with pytest.raises(NoAnswerError) as caught:
        network.connect()
    assert caught.value.no_answer.kind is FailureKind.CONNECT
    assert "93.184.216.0: no answer in time; 93.184.216.1:" in caught.value.no_answer.message
    assert len(network.dialled) == ADDRESSES_TRIED


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            socket.gaierror(-2, "Name or service not known"),
            "host.example cannot be resolved: Name or service not known",
        ),
        (UnicodeError("label too long"), "host.example cannot be resolved: UnicodeError"),
        (None, "host.example has no address"),
    ],
)
def test_a_name_that_cannot_be_resolved_fails_as_dns(error: Exception | None, message: str) -> None:
    def resolve(host: str, port: int) -> Resolved:
        if error is not None:
            raise error
        return []

    dialler = Dialler((), resolve=resolve)
    for _ in range(200):  # more than the lookups at a time: each frees its place
        with pytest.raises(NoAnswerError) as caught:
            dialler.connect("host.example", 443, Limits(10))
        assert caught.value.no_answer.kind is FailureKind.DNS
        assert caught.value.no_answer.message == message


def test_threads_for_lookups_are_reused() -> None:
    network = Network(PUBLIC)
    threads = set()

    def resolve(host: str, port: int) -> Resolved:
        threads.add(threading.get_ident())
        return network.resolve(host, port)

    dialler = Dialler((), resolve=resolve, dial=network.dial)
    for _ in range(50):
        dialler.connect("host.example", 443, Limits(10))
    # A thread can get its next lookup a moment before it reports that it is idle.
    assert len(threads) <= 3
    assert threading.get_ident() not in threads


def test_a_lookup_that_hangs_delays_only_its_own_attempt() -> None:
    """The number of threads is limited, and no attempt waits longer than its deadline for one."""
    network, hang, asked = Network(PUBLIC), threading.Event(), []

    def resolve(host: str, port: int) -> Resolved:
        asked.append(host)
        if host.startswith("dead"):
            hang.wait()
        return network.resolve(host, port)

    dialler = Dialler((), resolve=resolve, dial=network.dial)
    for number in range(LOOKUPS_AT_ONCE + 5):
        with pytest.raises(NoAnswerError) as caught:
            dialler.connect(f"dead{number}.example", 443, Limits(0.003))
        assert caught.value.no_answer == NoAnswer(
            FailureKind.DNS, f"the name service did not answer for dead{number}.example in 0.003 s"
        )
        if number == LOOKUPS_AT_ONCE // 2:
            assert dialler.connect("host.example", 443, Limits(10))
    assert len(asked) <= LOOKUPS_AT_ONCE + 1
    hang.set()
    assert dialler.connect("host.example", 443, Limits(10))
    # Lookups that no attempt waits for any more are not made.
    assert len(asked) <= LOOKUPS_AT_ONCE + 2
