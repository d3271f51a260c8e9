"""What every other package builds on: errors, ids, times, JSON, paging, caches and threads.

Nothing here knows AWS or the business of webhooks, and nothing here imports another package of
ours. Everything else imports it, so a change here is felt everywhere: the format of an id
(`ids`), the text of a time (`times`) and the bytes that `jsontext.dumps` writes are stored, signed
and sent, and must stay as they are. A newcomer starts with `errors`, the tree of exceptions, and
with `jsontext`, because receivers compute signatures over what it writes.
"""
