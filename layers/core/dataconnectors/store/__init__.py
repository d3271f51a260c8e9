"""Everything in DynamoDB: keys, expressions and conditions, one module for each kind of item.

Access paths and their cost are in docs/data-model.md.
"""
