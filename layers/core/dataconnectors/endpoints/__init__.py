"""A customer's endpoint: whether its address may be called, one POST to it, and how that ended.

Start with `client`: `EndpointClient.attempt` makes one attempt. `addresses` says which URLs and IP
addresses may be called, `dialler` connects to nothing else, `transport` and `connection` make one
POST within its `limits`, `signing` signs it, `outcomes` has what can come of it. Endpoints may be
hostile: whatever they do is a value here and never an exception, and every wait and every read has
a limit. When to attempt, and what then becomes of the event, is the business of `delivery`. This
room may import `connectors`, `aws` and `kernel`.
"""
