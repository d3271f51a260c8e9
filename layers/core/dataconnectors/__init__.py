"""What is true of delivering webhooks, wherever it runs: events, connectors, queues, attempts.

Imports no handler. Reads no environment, `settings` excepted. Clocks, randomness, AWS clients and
the network come in as arguments, so that every rule here can be tested without any of them.
"""
