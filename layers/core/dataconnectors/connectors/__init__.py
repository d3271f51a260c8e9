"""Connectors: what a customer configures to have events pushed to an endpoint.

Start with `connector`, the row that ingest, the sender and provisioning read. `configuration` is
the part of it that a customer sets, `configuration_request` reads and checks the requests that
set it, with `custom_headers` for the headers that may be added and `secret_rotation` for the
secret that a new one replaces. `secrets` is what a row holds encrypted, `webhook_key` what a secret
means to Standard Webhooks, and `idempotency` recognises a create call that is sent again. `failing`
is what the sender knows of an endpoint that fails, and `health` what that says to a customer. New
settings are added here. What must stay as it is: the plaintext of secrets, to which fields may be
added, the digest of a create call, and every field of an answer, which the vendor's clients need.
The sender imports `connector`, `failing`, `secrets` and `custom_headers`, which therefore stay
small. May import `devices`, `events`, `aws` and `kernel`.
"""
