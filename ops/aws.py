"""Turns errors of AWS and of its configuration into one line that says what to do."""

import contextlib
from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from ops.stacks import StackError


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise a `StackError` when the AWS configuration lacks something, or AWS refuses a call."""
    try:
        yield
    except NoRegionError:
        raise StackError(
            "there is no Region in the AWS configuration: set AWS_DEFAULT_REGION, or `region` in "
            "the profile"
        ) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise StackError(
            "there are no AWS credentials: log in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        ) from None
    except (BotoCoreError, ClientError) as error:
        raise StackError(" ".join(str(error).split())) from error
