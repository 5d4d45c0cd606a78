"""Servers that tests of several packages share; each runs from its first use to the end."""

import pytest

from tests import ministack as ministack_server


@pytest.fixture(scope="session")
def ministack():
    """A ministack, which checks signatures, with a user and a role."""
    with ministack_server.running() as server:
        yield server
