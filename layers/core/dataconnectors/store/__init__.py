"""Everything in DynamoDB: keys, expressions and conditions, with one module for each kind of item.

The other packages say what they need of the table in calls like `set_labels`; only modules here
know keys, attributes and expressions. How an item is read and written may be changed, but rows that
exist must stay readable: the texts in `keys` and the names of attributes stay as they are, as do
the prefixes that template.yaml grants functions access to. This package may import the packages
whose values it stores, but neither `api`, `services` nor `ingest`. A newcomer starts with
docs/data-model.md, which lists access paths and their cost, then reads `table` and `keys`.
"""
