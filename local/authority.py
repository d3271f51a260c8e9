"""A certificate authority that lives as long as one run of the local stack."""

import ssl
from pathlib import Path

import trustme

# The names by which a local client may call a local server.
LOCAL_NAMES = ("127.0.0.1", "::1", "localhost")


class Authority:
    """Issues certificates for this machine's loopback names.

    Its private key never leaves the memory of this process, and every start makes a new one. So a
    `ca.pem` that somebody trusts and forgets cannot be misused later.
    """

    def __init__(self, directory: Path) -> None:
        """Write the authority's certificate to `directory`/ca.pem, replacing an earlier one."""
        self._authority = trustme.CA(
            organization_name="Data Connectors", organization_unit_name="local stack"
        )
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_path = directory / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_path))

    def server_context(self) -> ssl.SSLContext:
        """A TLS context for a server, with a certificate for `LOCAL_NAMES`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._authority.issue_cert(*LOCAL_NAMES).configure_cert(context)
        return context
