"""What becomes of an event that its endpoint has not acknowledged within 12 hours.

Start with `expired_event`: the record of such an event, and the rules that say when its time is up.
`announcements` tells EventBridge of new records. `accounting` finds events that SQS deleted without
anybody noticing, from the numbers of `queue_hours`. Intervals and tolerances may be changed. The
fields of a record must not: records are stored for 31 days and shown by the API. Neither must an
announcement's source, detail type and detail, which customers' rules match. This package imports
`connectors`, `aws` and `kernel`; protocols state what it needs of the store.
"""
