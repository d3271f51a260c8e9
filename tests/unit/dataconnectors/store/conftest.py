"""A table over moto. A test can count its calls and replace their answers."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.dynamodb import Watched


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        make_table()
        yield Table(Watched(boto3.client("dynamodb")), "dc-test-table")
