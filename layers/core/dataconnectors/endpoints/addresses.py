"""Which URLs and IP addresses may be called: public ones, and networks that the deployer allows.

A URL is checked when it is configured and before each attempt. The addresses of its host name are
checked at every connection, because the name may resolve to others by then.
"""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from dataconnectors.kernel.errors import DestinationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2048
"""Characters. Proxies and servers on the way may cut longer ones."""

LONGEST_HOST = 253
"""Characters of a domain name (RFC 1035, as text without the root's dot)."""

HTTPS_PORT = 443

# An explicit table, from IANA's special-purpose registries. `ipaddress.is_global` changes between
# Python releases, and calls multicast, 6to4 relays and AS112 global.
_SPECIAL_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT; also inside AWS
            "127.0.0.0/8",  # loopback; Lambda's runtime API
            "169.254.0.0/16",  # link-local; credentials of instances and containers
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)

# IANA gives hosts no other addresses. Addresses that embed an IPv4 address are either outside of it
# (mapped, compatible, translated, NAT64) or listed below (Teredo, 6to4, ISATAP).
_UNICAST_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks, AMT, AS112
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3ffe::/16",  # returned by the 6bone
            "3fff::/20",  # documentation
        ),
    )
)

# An ISATAP interface identifier is 0000:5efe or 0200:5efe, then an IPv4 address (RFC 5214). It may
# have any prefix, and its router passes packets on to the IPv4 address.
_ISATAP_MASK, _ISATAP = 0xFDFFFFFF_00000000, 0x00005EFE_00000000

_URL = re.compile(
    r"""https://
    (?P<host> \[ (?P<ipv6>[0-9A-Fa-f:.]+) \] | [0-9A-Za-z._-]+ )
    (?: : (?P<port>[0-9]{1,5}) )?
    (?P<target> (?: [/?] [\x21-\x7e]* )? )
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to POST. `host` is a name, or an IP address in its usual spelling without brackets;
    `target` is the path and the query as given."""

    host: str
    port: int
    target: str


def is_public(address: Address) -> bool:
    """Whether the address can be that of a host on the Internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return (
        address in _UNICAST_IPV6
        and int(address) & _ISATAP_MASK != _ISATAP
        and not any(address in network for network in _SPECIAL_IPV6)
    )


def may_call(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether the address is public, or in a network that the deployer allows."""
    return is_public(address) or any(address in network for network in allowed)


def check_url(url: str, allowed: Iterable[Network] = ()) -> Destination:
    """The parts of a URL; raises `DestinationError` for one that no connector may have.

    It is stricter than URL libraries on purpose. If two parsers read a text differently, one may
    check another host than the other calls. Names are not resolved here.
    """
    if len(url) > LONGEST_URL:
        raise DestinationError(f"{len(url)} characters, at most {LONGEST_URL}")
    if not url.isascii():
        raise DestinationError(
            "expected ASCII: write an international host name in its xn-- form, "
            "and percent-encode the path and the query"
        )
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise DestinationError("a space, a backslash or a control character is not allowed")
    if not url.lower().startswith("https://"):
        raise DestinationError("expected https://")
    if "#" in url:
        raise DestinationError("a fragment (#) is never sent: leave it out")
    if "@" in re.split("[/?]", url[len("https://") :], maxsplit=1)[0]:
        raise DestinationError("credentials do not belong in a URL: use a header")
    match = _URL.fullmatch(url)
    if match is None:
        raise DestinationError("expected https://host/path or https://host:port/path")
    host = _ipv6(match["ipv6"], allowed) if match["ipv6"] else _host(match["host"], allowed)
    port = int(match["port"] or HTTPS_PORT)
    if not 1 <= port <= 65535:
        raise DestinationError(f"port {port}, expected 1 to 65535")
    target = match["target"]
    return Destination(host, port, target if target.startswith("/") else "/" + target)


def _host(text: str, allowed: Iterable[Network]) -> str:
    labels = text.lower().split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(text, allowed)
    if len(text) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise DestinationError(f"{text:.80} is not a host name")
    return ".".join(labels)


def _ipv4(text: str, allowed: Iterable[Network]) -> str:
    """A name that ends in a number is an address (WHATWG URL). `inet_aton` reads it as the resolver
    would: one to four numbers, each decimal, hexadecimal or octal."""
    try:
        address = IPv4Address(socket.inet_aton(text))
    except OSError:
        raise DestinationError(f"{text:.80} is not an IPv4 address") from None
    return _checked(address, allowed)


def _ipv6(text: str, allowed: Iterable[Network]) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise DestinationError(f"[{text:.80}] is not an IPv6 address") from None
    return _checked(address, allowed)


def _checked(address: Address, allowed: Iterable[Network]) -> str:
    if not may_call(address, allowed):
        raise DestinationError(f"{address} is not a public address")
    return str(address)
