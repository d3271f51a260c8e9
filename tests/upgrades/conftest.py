"""The last release, unpacked once."""

import pytest

from tests.upgrades.release import Release, last_version, unpacked


@pytest.fixture(scope="session")
def last(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The last release."""
    return unpacked(last_version(), tmp_path_factory.mktemp("release"))
