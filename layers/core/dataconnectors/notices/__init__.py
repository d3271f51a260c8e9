"""What people are told about a connector that fails: an outage begins or ends, or it is disabled.

Start with `watched`: from what was told before and from the connector's row, `look` decides what is
to be told now, and whether the connector is to be disabled. `watcher` does that for the reconciler
each minute. After how many days somebody is warned may be changed. The detail types and details of
events must not: customers' rules match them. This package imports `connectors`, `aws` and `kernel`;
protocols state what it needs of the store.
"""
