"""The TLS context of deliveries, and sockets that keep to the limits of an attempt."""

import ssl
from pathlib import Path
from typing import Any

import certifi

from dataconnectors.endpoints.limits import Limits
from dataconnectors.kernel.errors import SettingsError

AUTHORITIES = Path(__file__).parents[1] / "authorities/public"
"""certifi's authorities, one file each. A built layer has them (layers/core/authorities.py)."""

_OUT_OF_TIME = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What a TLS socket raises instead of TimeoutError when its timeout is so short that it is zero by
the time OpenSSL looks. The operation is tried again, and then times out by its limits."""


class LimitedSocket(ssl.SSLSocket):
    """A TLS socket. The limits of the attempt that uses it bound each of its operations."""

    limits: Limits

    def send(self, data: Any, flags: int = 0) -> int:  # sendall is a loop over this
        while True:
            self.settimeout(self.limits.remaining())
            try:
                return super().send(data, flags)
            except _OUT_OF_TIME:
                continue

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        while True:
            self.settimeout(self.limits.remaining())
            try:
                size = super().recv_into(buffer, nbytes, flags)
            except _OUT_OF_TIME:
                continue
            self.limits.receive(size)
            return size


def client_context(
    trusted_authorities_file: str = "", *, authorities: Path = AUTHORITIES
) -> ssl.SSLContext:
    """The TLS context of a process. It trusts certifi's authorities, and those in a PEM file.

    Make one for each process: to load all authorities takes longer than ten handshakes. In a built
    layer they are not loaded at all, because OpenSSL looks up those that a handshake needs.
    Certificates and host names are verified. Raises `SettingsError` for a file that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = LimitedSocket
    if authorities.is_dir():
        context.load_verify_locations(capath=authorities)
    else:
        context.load_verify_locations(certifi.where())
    if trusted_authorities_file:
        try:
            context.load_verify_locations(trusted_authorities_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"TRUSTED_AUTHORITIES_FILE {trusted_authorities_file}: {error}, "
                "expected a PEM file of certificates"
            ) from None
    return context
