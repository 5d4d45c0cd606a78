"""What tests of several packages share: servers, each from its first use to the end, and Ctrl-C."""

import signal

import pytest

from tests import ministack as ministack_server


@pytest.fixture(scope="session")
def ministack():
    """A ministack, which checks signatures, with a user and a role."""
    with ministack_server.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c():
    """Ctrl-C interrupts, in a background job of a shell as well, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
