"""Standard Webhooks keys: the bytes that a connector's signature secret stands for there.

The official libraries take a secret as `whsec_` and base64, or as base64 alone. A secret of the
first form therefore means the same to them and to us. Any other secret is used as its UTF-8 bytes,
as in X-Dt-Signature: a receiver gives the libraries its base64. A text without the prefix is never
decoded, even if it could be base64, because nobody could see from it which of the two is meant.
"""

import base64

PREFIX = "whsec_"


def webhook_key(secret: str) -> bytes:
    """The HMAC key of a signature secret; raises `ValueError` for a broken `whsec_` secret.

    Padding may be missing, as some of the libraries allow.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # binascii's, or that of a text beyond ASCII
        key = b""
    if not key:
        raise ValueError(f"after {PREFIX} there is no base64")
    return key
