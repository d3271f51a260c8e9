"""The local authority's certificates verify only against its own file."""

import http.client
import ssl
from pathlib import Path

import pytest

from local.authority import Authority
from local.server import Answer, LoopbackServer


def get(port: int, name: str, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(name, port, context=context, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "name"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1", "localhost")]
)
def test_the_servers_certificate_verifies_for_every_local_name(
    tmp_path: Path, host: str, name: str
) -> None:
    authority = Authority(tmp_path / "new" / "state")
    server = LoopbackServer(
        host, 0, lambda request: Answer(200), body_limit=0, ssl_context=authority.server_context()
    )
    try:
        server.start()
    except OSError:
        if host == "::1":
            pytest.skip("no IPv6 on this machine")
        raise
    try:
        trusting = ssl.create_default_context(cafile=str(authority.ca_path))
        assert get(server.port, name, trusting) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            get(server.port, name, ssl.create_default_context())
    finally:
        server.stop()


def test_every_start_makes_a_new_authority_and_no_key_is_written(tmp_path: Path) -> None:
    first = Authority(tmp_path).ca_path.read_text()
    second = Authority(tmp_path).ca_path.read_text()
    assert first != second
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert second.count("-----BEGIN") == 1
    assert "PRIVATE KEY" not in second
