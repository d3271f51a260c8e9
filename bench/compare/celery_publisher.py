"""Publishes to Celery.

Each line of standard input is a JSON list of events, each of them id, URL and body. The answer to a
line is a JSON object with the epoch second at which the call for each id began.
"""

import json
import sys
import time

from celery_app import deliver  # type: ignore[import-not-found]  # in this file's folder

for line in sys.stdin:
    published = {}
    for event_id, url, body in json.loads(line):
        published[event_id] = time.time()
        deliver.delay(url, body)
    print(json.dumps(published), flush=True)
