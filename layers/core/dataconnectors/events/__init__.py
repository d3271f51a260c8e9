"""Events: what devices report, how one event travels, and how a request asks for past ones.

Start with `event`: it turns what a publisher sends into an `Event`, with the help of `event_types`,
`field_checks` and `omitted_fields`. `message` is the event on its way through a queue, and
`history_query` a request for a device's past events. New event types and fields are added here. Two
things must stay as they are: an event's JSON as receivers read it, and the fields of a queue
message, which old and new code read side by side during a deployment. May import `aws` and
`kernel`.
"""
