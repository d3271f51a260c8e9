"""Measures what a signature costs, against its digests alone.

The unit is SHA-1 and SHA-256 of the same body and an HMAC of a text as long as the token, by the
same library. Both take turns, and the median of the rounds' ratios counts.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Callable

from bench.report import Figure
from bench.sender import BODY
from dataconnectors.endpoints.signing import sign
from dataconnectors.kernel.ids import ENTROPY_BYTES

ROUNDS = 30
TOKENS_PER_ROUND = 2000

BUDGET = 4.0
"""The rest are two JSON texts and three encodings in Base64."""

SECRET = "0123456789abcdef0123456789abcdef"


def measure() -> list[Figure]:
    """Sign the same body, in turns with its digests."""
    body, entropy, now = BODY.encode(), os.urandom(ENTROPY_BYTES), time.time()
    token = sign(body, SECRET, now, entropy).rpartition(".")[0].encode()

    def digests() -> None:
        hashlib.sha1(body, usedforsecurity=False).hexdigest()
        hashlib.sha256(body).hexdigest()
        hmac.digest(SECRET.encode(), token, "sha256")

    def ours() -> None:
        sign(body, SECRET, now, entropy)

    rounds = [(cpu(ours), cpu(digests)) for _ in range(ROUNDS)]
    return [
        Figure("CPU of a signature / its digests", [a / b for a, b in rounds], BUDGET),
        Figure(
            "CPU of a signature", [each / TOKENS_PER_ROUND * 1e3 for each, _ in rounds], None, "ms"
        ),
    ]


def cpu(work: Callable[[], None]) -> float:
    """CPU seconds of a round."""
    before = time.process_time()
    for _ in range(TOKENS_PER_ROUND):
        work()
    return time.process_time() - before
