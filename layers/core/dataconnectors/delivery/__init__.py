"""Delivery: a batch of queue messages in, one POST for each event, all at the same time.

Start with `sender`: `Sender.send` shows the order of a batch, and each step is a module of its own.
`selection` decides what is attempted, `attempts` attempts it, `departures` keeps records of what
leaves undelivered, `back_off` puts the rest back. `retry`, `freshness` and `deadlines` hold the
rules on time; each number there is promised in docs/reliability.md. Values are named tuples, as in
`aws.settings`: every cold start of the sender makes their classes. This room needs a few rows of
the store and says which by protocols, so it may import `endpoints`, `expiry`, `connectors`,
`events`, `aws` and `kernel`, and neither the store nor the API.
"""
