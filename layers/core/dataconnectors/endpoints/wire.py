"""The request of a delivery as it goes over the wire, written by the sender's own code, unsent."""

from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.connection import Connection
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.dialler import Dialler


def wire_headers(destination: Destination, headers: Headers, body: bytes) -> dict[str, str]:
    """All headers of a POST, in their order: `headers`, and those that the connection adds.

    Raises `NoAnswerError` for a header that HTTP does not allow.
    """
    connection = Connection(destination.host, destination.port, None, Dialler(()))
    head, _, _ = connection.written(destination.target, headers, body).partition(b"\r\n\r\n")
    _, *lines = head.decode().split("\r\n")
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}
