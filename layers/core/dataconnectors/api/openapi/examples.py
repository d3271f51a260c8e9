"""Ids, names and a time that the examples of the document use."""

from dataconnectors.identity import accounts

TIME = "2026-01-31T12:00:00.000000Z"
PROJECT = "cq1k2v3s0f4g5h6i7j8k"
DEVICE = "emucq1k2v3s0f4g5h6i7j8l"
CONNECTOR = "cq1k2v3s0f4g5h6i7j8m"
ACCOUNT = "cq1k2v3s0f4g5h6i7j8n"
KEY = "cq1k2v3s0f4g5h6i7j8o"
REPLAY = "cq1k2v3s0f4g5h6i7j8p"
EVENT = "cq1k2v3s0f4g5h6i7j8q"
ATTEMPT = f"{EVENT}-1769860800000000"
TRY_OUT = "5k3q0v7d1m8b2c6f9g4h0j5n7p1r3s8t"
ACCOUNT_NAME = f"projects/{PROJECT}/serviceaccounts/{ACCOUNT}"
EMAIL = f"{ACCOUNT}@{PROJECT}.{accounts.EMAIL_DOMAIN}"
