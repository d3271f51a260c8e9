"""How our own programs call a stack: the demo, `make smoke` and the end-to-end tests.

They call it as customers' programs do, over `requests`. The sender does not: see decision 1.
"""
