"""Try-outs: addresses of the stack itself that connectors are tried with, before there is a server.

Start with `try_out`: what an address is, how long it lives and what it answers. `inspection`
decides what becomes of one POST to it: which connector it is from, whether its signature is valid,
and what is kept of it. `delivery` is what is kept. Sizes, numbers and times may be changed; they
make an address useless as a store of files. Names in URLs must stay, because connectors have them.
This package imports `connectors`, `aws` (for secrets) and `kernel`, and it verifies deliveries with
`dataconnectors.receive`, as customers do.
"""
