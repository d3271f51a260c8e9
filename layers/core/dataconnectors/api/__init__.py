"""The config API: a module of routes for each kind of resource, errors, the API's description.

A route says who may call it, which values it reads from the request, and which service does the
work; nothing else belongs here. Paths, methods, permissions and answers are the public contract: a
changed route needs its entry in `openapi`, and tests compare the two. This is the only package that
knows Powertools' router; it may import every other package, and none may import it. Start reading
in `connectors`, then `request` (what a route asks about its request) and `errors` (how an error
becomes an answer). `functions/config_api/app.py` wires all routes together.
"""
