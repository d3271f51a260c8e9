"""Which URLs and addresses may be called: only public ones, in whatever spelling."""

import socket
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.endpoints.addresses import (
    LONGEST_URL,
    Destination,
    check_url,
    is_public,
    may_call,
)
from dataconnectors.kernel.errors import DestinationError
from tests.support.addresses import PRIVATE

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0"),
    *("192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2001:200::1", "2400::1"),
    *("2606:4700::5eff:a00:1", "2606:4700::5efe", "3ffd::1", "2003::1", "3fff:1000::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_other_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_special_address_is_refused_where_it_is_configured(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    for url in (f"https://{host}/", f"https://{host}:8443/hook", f"https://{host}?x=1"):
        with pytest.raises(DestinationError, match="is not a public address"):
            check_url(url)


@given(st.ip_addresses(v=6))
def test_ipv6_addresses_are_public_if_they_are_unicast_and_embed_no_ipv4_address(
    address: object,
) -> None:
    six = IPv6Address(str(address))
    if is_public(six):
        assert int(six) >> 125 == 0b001
        assert [six.ipv4_mapped, six.sixtofour, six.teredo] == [None] * 3


def test_addresses_of_an_allowed_network_are_accepted_too() -> None:
    allowed = (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    assert may_call(ip_address("127.0.0.1"), allowed)
    assert may_call(ip_address("fd00::1"), allowed)
    assert may_call(ip_address("8.8.8.8"), allowed)
    assert not may_call(ip_address("10.0.0.1"), allowed)
    assert not may_call(ip_address("::ffff:127.0.0.1"), allowed)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", Destination("example.com", 443, "/")),
        ("https://example.com/", Destination("example.com", 443, "/")),
        ("HTTPS://Example.COM:8443/a/B?c=D", Destination("example.com", 8443, "/a/B?c=D")),
        ("https://example.com?x=1", Destination("example.com", 443, "/?x=1")),
        ("https://example.com/a/../b//c?u=https://x@y:1", None),
        ("https://example.com/%7Euser?filter[x]=1&t='|^`{}", None),
        ("https://xn--bcher-kva.example/hook", None),
        ("https://my_host.example-1.com/", Destination("my_host.example-1.com", 443, "/")),
        ("https://8.8.8.8/", Destination("8.8.8.8", 443, "/")),
        ("https://134744072/", Destination("8.8.8.8", 443, "/")),
        ("https://0x08.010.8/", Destination("8.8.0.8", 443, "/")),
        ("https://[2606:4700:0:0::1111]:444/x", Destination("2606:4700::1111", 444, "/x")),
        ("https://localhost/", Destination("localhost", 443, "/")),
        ("https://service.internal/", Destination("service.internal", 443, "/")),
    ],
)
def test_a_valid_url_is_accepted(url: str, expected: Destination | None) -> None:
    destination = check_url(url)
    if expected is None:
        assert destination.target == url.split("/", 3)[3].join(["/", ""])
    else:
        assert destination == expected


REFUSED = [
    # Loopback and metadata, in every spelling that some resolver reads
    *("https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/"),
    *("https://0x7f000001/", "https://0x7F.1/", "https://0177.0.0.1/", "https://017700000001/"),
    *("https://0x7f.0x0.0x0.0x1/", "https://0/", "https://0.0.0.0/", "https://127.0.0.1:8443/"),
    *("https://00000177.1/", "https://169.254.169.254/latest/", "https://2852039166/"),
    *("https://0xa9fea9fe/", "https://0xa9.254.0251.254/", "https://[::1]/", "https://[::]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:0:0:1]/"),
    *("https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[fd00:ec2::254]/"),
    *("https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[2002:7f00:1::]/"),
    *("https://10.0.0.1/", "https://192.168.1.1/", "https://100.100.100.200/"),
    *("https://127.0.0.1./", "https://127.0.0.1../", "https://2130706433./", "https://0x7f.1./"),
    *("https://0X7F000001/", "https://0x7f.0.1/", "https://0x00000000007f.1/", "https://127.0x1/"),
    *("https://127.00000000001/", "https://0177.1/", "https://00/"),
    *("https://0.1/", "https://127.65535.1/", "https://4294967295/", "https://4294967296/"),
    *("https://169.16689662/", "https://0251.0376.0251.0376/", "https://[::ffff:a9fe:a9fe]/"),
    *("https://[0000:0000:0000:0000:0000:ffff:7f00:0001]/", "https://[::FFFF:127.0.0.1]/"),
    *("https://[::ffff:127.1]/", "https://[::ffff:0x7f.0.0.1]/", "https://[::1%25lo]/"),
    *("https://[::1%lo]/", "https://[fe80::1%eth0]/", "https://[v1.fe80::1]/", "https://[[::1]]/"),
    *("https://[::1].example/", "https://[::1]example.com/", "https://example.com[::1]/"),
    # No addresses at all
    *("https://1.2.3.4.5/", "https://256.1.1.1/", "https://1.2.3.08/", "https://example.1/"),
    *("https://0x/", "https://[1.2.3.4]/", "https://[::g]/", "https://[]/", "https://[::1/"),
    # Full-width, circled and other digits and dots
    *(
        "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
        "https://127\uff0e0\uff0e0\uff0e1/",
        "https://127｡0｡0｡1/",
        "https://1\u200b27.0.0.1/",
        "https://⑯⑨.②⑤④.⑯⑨.②⑤④/",
        "https://\uff11\uff12\uff17.1/",
        "https://\U0001d7cf\U0001d7d0\U0001d7d5.\U0001d7ce.\U0001d7ce.\U0001d7cf/",
        "https://¹²⁷.⁰.⁰.¹/",
        "https://\u0661\u0662\u0667.\u0660.\u0660.\u0661/",
        "https://loca\u217chost/",
        "https://[::\uff11]/",
        "https://ⓔxample.com/",
    ),
    *("https://bücher.example/", "https://example.com/ü", "https://example.com/\u202e"),
    # Two parsers, two hosts
    *(r"https://127.0.0.1:8443\@example.com/", r"https://example.com\.evil.com/"),
    *("https://example.com@127.0.0.1/", "https://user:pass@example.com/", "https://@example.com/"),
    *("https://example.com:80:443/", "https://example.com#@127.0.0.1/", "https://example.com/#x"),
    *("https://exa mple.com/", "https://example.com/a b", " https://example.com/", "https://"),
    *("https://example.com/\r\nHost: x", "https://example.com\t/", "https://example.com/\x00"),
    *(
        "https://example.com/\x7f",
        "https:///example.com/",
        "https:/example.com/",
        "https:example.com",
    ),
    *("https://%31%32%37.0.0.1/", "https://example%2ecom/", "https://exa\nmple.com/"),
    *(
        "https://127.0.0.1%2f@example.com/",
        "https://example.com%40127.0.0.1/",
        "https://%5b::1%5d/",
    ),
    *("https://example.com%00.evil/", "https://example.com;127.0.0.1/", "https://a,127.0.0.1/"),
    *(r"https://example.com\@127.0.0.1/", r"https:\\127.0.0.1/", r"https://\127.0.0.1/"),
    *(
        "https://example.com:443@127.0.0.1/",
        "https://127.0.0.1:443:443/",
        "https://example.com:+443/",
    ),
    *(
        "https://a@b@127.0.0.1/",
        "https://user:p%40ss@127.0.0.1/",
        "https://example.com\t@127.0.0.1/",
    ),
    *("https://////127.0.0.1/", "https://?127.0.0.1/", "https://:443/", "https://:@127.0.0.1/"),
    *(
        "https://example.com:\uff14\uff14\uff13/",
        "https://example.com:0x1bb/",
        "https://example.com:4 43/",
    ),
    # Other schemes and ports
    *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "//example.com/", ""),
    *(
        "example.com",
        "httpsx://example.com/",
        "https://example.com:0/",
        "https://example.com:65536/",
    ),
    *("https://example.com:/", "https://example.com:-1/", "https://example.com:x/"),
    # No host names
    *("https://-a.example/", "https://a-.example/", "https://a..example/", "https://.example/"),
    *("https://example.com./", f"https://{'a' * 64}.com/", f"https://{'a.' * 127}com/"),
    f"https://example.com/{'a' * LONGEST_URL}",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(DestinationError):
        check_url(url)


def test_loopback_in_any_spelling_is_accepted_where_it_is_allowed() -> None:
    allowed = (ip_network("127.0.0.0/8"),)
    for host in ("127.0.0.1", "127.1", "2130706433", "0x7f000001"):
        assert check_url(f"https://{host}:8443/hook/a", allowed) == Destination(
            "127.0.0.1", 8443, "/hook/a"
        )
    with pytest.raises(DestinationError):
        check_url("https://10.0.0.1/", allowed)


def test_the_reason_of_a_refusal_is_written_for_customers() -> None:
    for url, reason in {
        "http://example.com": "expected https://",
        "https://a:b@example.com/": "credentials do not belong in a URL: use a header",
        "https://0x7f.1/": "127.0.0.1 is not a public address",
    }.items():
        with pytest.raises(DestinationError) as caught:
            check_url(url)
        assert str(caught.value) == reason


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_after_the_scheme_is_parsed_or_refused(rest: str) -> None:
    try:
        destination = check_url("https://" + rest)
    except DestinationError:
        return
    assert destination.host.isascii()
    assert destination.target.startswith("/")
    assert destination.target.isprintable()
    assert " " not in destination.target


@given(st.ip_addresses(v=4), st.sampled_from(["decimal", "hex", "octal", "short"]))
def test_an_address_is_recognized_in_every_spelling(address: object, spelling: str) -> None:
    number = int(ip_address(str(address)))
    text = {
        "decimal": str(number),
        "hex": hex(number),
        "octal": f"0{number:o}",
        "short": f"{number >> 24}.{number & 0xFFFFFF}",
    }[spelling]
    assert socket.inet_aton(text) == number.to_bytes(4, "big")
    everywhere = (ip_network("0.0.0.0/0"),)
    assert check_url(f"https://{text}/", everywhere).host == str(address)
