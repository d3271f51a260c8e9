"""An account with very many connectors, in virtual time: what it delivers, how late, and for what.

The sender is the real one, with its stores; AWS and the endpoints are models. `tests.outages` does
the same with whole handlers, on threads that take turns: it is slower, and what this is checked
against. So this folder is beside that one.
"""
