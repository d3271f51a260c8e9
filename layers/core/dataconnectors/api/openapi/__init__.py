"""The API described as OpenAPI 3.1, and the description as an HTML page.

Customers read these texts and generate clients from them, so ids of operations, names of schemas
and their fields are part of the public contract. There is one module for each kind of resource with
its operations and schemas, named like the module of routes in `api`. Enumerations and limits come
from the code that enforces them; tests compare operations with routes and permissions, and send
requests made up from the document. Nothing imports this package at a cold start, only the first
request for the description. Start reading in `operation`, then `connectors`; `document` assembles
everything.
"""
