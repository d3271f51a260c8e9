"""The API described as OpenAPI 3.1. Imported when somebody asks for it, not at a cold start."""
