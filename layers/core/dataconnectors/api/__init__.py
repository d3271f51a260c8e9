"""The config API: what each route does, one module for each kind of resource."""
