"""Ingest: accepting events, from a publisher's call to confirmed messages in connectors' queues.

Start with `acceptance`, whose `EventAcceptor` shows all steps in order. Three of them are modules
of their own: `active_connectors` (who may get an event), `device_registration` and `fan_out` (one
message for each connector). `queues` sends messages until SQS has confirmed them. Events come
from `routes` (HTTP), `label_events` (the table's stream) and `sync`. Change here what is accepted
and who gets it; what must stay is that an event is accepted only after history and every queue
have confirmed it. May import `store` and everything below.
"""
