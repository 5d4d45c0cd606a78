"""What is around each test: the look-out for secrets, and servers that run from their first use to the end."""

import pytest

from tests import canaries
from tests import ministack as ministack_server

canaries.install()


@pytest.fixture(autouse=True)
def no_secret_shows():
    """Whatever a test does, at DEBUG: no secret of it is in what we log, raise, show or write."""
    with canaries.watch() as seen:
        yield seen
    assert not seen.leaks, "\n".join(seen.leaks)


@pytest.fixture(scope="session")
def ministack():
    """A ministack, which checks signatures, with a user and a role."""
    with ministack_server.running() as server:
        yield server
