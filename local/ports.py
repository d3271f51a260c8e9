"""Checks that the ports of `make run` are free, before anything is installed or built.

Standard library only, because it runs before anything is installed:

    python3 -m local.ports 8000 8443      exits 1 and says which one is not, and what to do
"""

import socket
import sys

HOST = "127.0.0.1"

# The make variables, in the order of the arguments.
OPTIONS = ("PORT", "RECEIVER_PORT")


def complaint(option: str, value: str) -> str | None:
    """What is wrong with `value` as the port of make variable `option`; None when it is free."""
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value) <= 65535:
        return f"{option} is '{value}', expected a port: 1 to 65535"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        # The servers set this option too: a port whose last connections are closing is free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, int(value)))
        except OSError as error:
            return (
                f"port {value} of {HOST} can't be used ({error.strerror}): stop what uses it, "
                f"or choose another with `make run {option}=...`"
            )
    return None


def complaints(values: list[str]) -> list[str]:
    """What is wrong with these ports, in the order of `OPTIONS`."""
    found = [complaint(option, value) for option, value in zip(OPTIONS, values, strict=True)]
    if len(set(values)) < len(values):
        found.append(f"{' and '.join(OPTIONS)} must differ, both are '{values[0]}'")
    return [line for line in found if line]


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as chosen:
        chosen.bind((HOST, 0))
        return int(chosen.getsockname()[1])


if __name__ == "__main__":
    lines = complaints(sys.argv[1:])
    print("".join(f"make run: {line}\n" for line in lines), end="", file=sys.stderr)
    sys.exit(1 if lines else 0)
