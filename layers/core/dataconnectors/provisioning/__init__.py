"""A connector's queue and event source mapping: creating, repairing and deleting them.

Start with `blueprint` (what they should look like) and `steps` (what to do next); then read
`provisioner`, which does it for one connector, and `reconciler`, which does it for all each minute.
The parameters in the blueprint may be changed: the reconciler brings them to existing queues and
mappings. Names and tags must not change, because a stack knows by them what it owns. The order of
the steps may change only while the tests still pass that kill the process at each call. This
package imports `expiry`, `connectors`, `aws` and `kernel`. What it needs of the store is a protocol
in `rows`.
"""
