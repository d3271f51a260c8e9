"""Delivery: a batch of queue messages in, one POST for each event, all at the same time.

Start with `sender`: `Sender.send` shows the order of a batch, and each step is a module of its own.
`selection` decides what is attempted, `outages` holds the events of endpoints that are down and
notes which are, `attempts` attempts the others, `departures` keeps records of what leaves
undelivered, `back_off` puts the rest back. `retry`, `holding`, `freshness` and `deadlines` hold the
rules on time, and `evidence` says when an outage begins; each number there is promised in
docs/reliability.md. Values are named tuples, as in `aws.settings`: every cold start of the sender
makes their classes. This room needs a few rows of the store and says which by protocols, so it may
import `endpoints`, `expiry`, `connectors`, `events`, `aws` and `kernel`, and neither the store nor
the API.
"""
