"""A function's cold start, and its first invocation if there is an event, in a process of its own.

    python bench/first.py FUNCTION_FOLDER CORE_FOLDER [EVENT]

The folders are those that are built; EVENT is a JSON text. Writes the answer to standard output.
Uses only the standard library, and as little of it as possible, because its imports count.
"""

import os
import sys


class Context:
    """What handlers read of Lambda's context."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """A fresh invocation's."""
        return 30_000


if __name__ == "__main__":
    sys.path[:1] = sys.argv[1:3]  # instead of this file's folder
    import app  # type: ignore[import-not-found]  # of the built function

    if len(sys.argv) > 3:
        import json

        answer = app.lambda_handler(json.loads(sys.argv[3]), Context())
        sys.stderr.write(json.dumps(answer))
        sys.stderr.flush()
    sys.stdout.flush()
    os._exit(0)  # Lambda never tears a process down either
