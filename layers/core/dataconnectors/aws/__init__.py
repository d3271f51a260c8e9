"""How we run in Lambda: AWS clients, cold starts, settings, HTTP requests, metrics and secrets.

What is here would change if the same service ran elsewhere than in Lambda behind an HTTP API.
Timeouts and limits may be changed; each states its reason. The names of environment variables and
metrics are shared with template.yaml, and a ciphertext of `vault` opens only under the name that
it was sealed with, so those stay. This package may import `kernel` only. A newcomer starts with
`settings`, which shows what each function is given, and `clients`, which shows how it calls AWS.
"""
