"""Sets the sender beside what a user would pick instead: same machine, receiver, events and
signature.

`make compare` runs one contender after the other: this bundle's sender, a Lambda as public samples
show it, Celery with Redis, and BullMQ with Redis. docs/comparison.md says how each is configured,
and what came out.
"""
