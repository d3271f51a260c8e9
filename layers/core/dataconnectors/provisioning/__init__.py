"""A connector's queue and event source mapping: creating, repairing and deleting them.

A newcomer starts with `blueprint` (what they should look like) and `steps` (what to do next), then
reads `provisioner` (doing it for one connector) and `reconciler` (doing it for all, every minute).
Parameters of queues and mappings may be changed in the blueprint: the reconciler brings them to
existing ones. Queue names and tags must not change, as they are how a stack knows what it owns, and
neither may the order of `steps`, unless the tests that kill the process at each call still pass.
Imports `expiry`, `connectors`, `aws` and `kernel`, and states what it needs of the store in `rows`.
"""
