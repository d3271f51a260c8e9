"""Sets the environment that handlers read at import, and imports moto before any AWS client.

moto sees clients that are made at import time only if it was imported first.
"""

import gc
import os

import pytest
from moto.core.config import default_user_config  # patches botocore, before any client is made
from xdist.scheduler import LoadFileScheduling

from tests.support import moto_mappings, moto_transactions

moto_transactions.install()
moto_mappings.install()

pytest_plugins = ["tests.permissions.plugin"]

# A session of boto3 reads botocore's large files once. moto would start a new one with each mock.
default_user_config["core"]["reset_boto3_session"] = False

# With its usual thresholds, the garbage collector searches the many objects of moto and pytest so
# often that it takes a fifth of the tests' CPU time.
gc.set_threshold(50_000, 20, 20)

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "tests",
    "POWERTOOLS_SERVICE_NAME": "dataconnectors",
    "STACK_NAME": "dc-test",
    "TABLE_NAME": "dc-test-table",
    "KMS_KEY_ARN": "alias/dc-test-secrets",
    "SENDER_ARN": "arn:aws:lambda:us-east-1:123456789012:function:dc-test-sender:live",
    "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:dc-test-dead-letters",
    "SYNC_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:dc-test-sync",
    "REPLAY_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:dc-test-replay",
    "REPLAY_CONCURRENCY": "5",
    "REPLAY_RATE": "100",
    "ATTEMPT_TIMEOUT": "10",
    "FUNCTION_TIMEOUT": "30",
    "MAXIMUM_CONCURRENCY": "50",
    "DISABLE_AFTER_DAYS": "5",
    "ALLOWED_NETWORKS": "127.0.0.0/8",
    "REQUEST_LIMIT": "0",
    "ATTEMPT_LOG": "sampled",
    "ATTEMPT_LOG_ONE_IN": "100",
    "TRY_OUT": "true",
}
os.environ.update(ENVIRONMENT)
for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
    os.environ.pop(name, None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """Give each file to one process of `pytest -n`, so that the local stack starts only once."""
    scheduler = LoadFileScheduling(config, log)
    by_file = scheduler._split_scope
    stack = "tests/e2e/"
    scheduler._split_scope = lambda test: stack if test.startswith(stack) else by_file(test)
    return scheduler
