"""Services: the work behind the routes, on connectors, devices, projects, members and accounts.

A service does the work behind a route: it reads and writes rows through `store`, opens and seals
secrets, provisions queues, and gives back what the answer shows. It checks no permission and knows
no HTTP: the routes in `api` decide who may call it, and hand over what they read from the request
as values. It raises `RequestError`s whose texts customers read. Resource names, fields of answers
and audit actions are public: changing one breaks clients. A service may import everything except
`api`. Start reading in `connectors`; the routes that call it are in `api/connectors.py`.
"""
