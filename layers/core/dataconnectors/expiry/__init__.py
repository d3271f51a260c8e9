"""What becomes of an event that its endpoint has not acknowledged within 12 hours.

A newcomer starts with `expired_event`: the record of such an event, and the rules that say when its
time is up. `announcements` tells EventBridge of new records, and `accounting` compares each queue's
hourly counts of `queue_hours`, to find the events that SQS has deleted without anybody noticing.
Intervals and tolerances may be changed here. The fields of the record are stored for 31 days and
shown by the API, and customers match the announcement's source, detail type and detail in their
rules: these must not change. Imports `connectors` and `kernel`, and states what it needs of the
store in protocols.
"""
