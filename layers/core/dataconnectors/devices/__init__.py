"""Devices: what sends events, the labels on them, and how a list of them is filtered and ordered.

Start with `device`. `labels` holds the limits of labels, `label_change` what a request changes
about them, and `labels_changed` the event that receivers get for it. `device_requests`,
`device_filter` and `device_order` read what callers ask for. New device types, filters and orders
are added here; rows of devices belong to `store`, and the calls themselves to `services`. Two
things must stay as they are: how devices look in answers, and how the ids of labelsChanged events
are made, by which receivers drop duplicates. May import `events`, `aws` and `kernel`.
"""
