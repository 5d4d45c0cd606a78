"""Fixtures and hooks for all tests: detection of secrets, and shared servers."""

import gc
import signal
from importlib.metadata import version

import pytest
from packaging.version import Version
from xdist.scheduler import LoadFileScheduling

from tests import canaries
from tests import ministack as ministack_server

canaries.install()


@pytest.fixture(autouse=True)
def no_secret_shows():
    """Fail if a secret appears in a DEBUG log, an error, a repr or a file."""
    with canaries.watch() as seen:
        yield seen
    assert not seen.leaks, "\n".join(seen.leaks)


# Tests whose slow session fixtures should be created in only one process.
TOGETHER = {
    "tests/runtime_client/layer/": "layers",
    "tests/runtime_client/credentials/test_ministack.py": "ministack",
    "tests/sigv4/test_round_trips.py": "ministack",
}


class Scheduling(LoadFileScheduling):
    """Assigns whole files to each process, and keeps files that share slow fixtures together."""

    def _split_scope(self, nodeid):
        """Return the group of a test."""
        file = super()._split_scope(nodeid)
        return next((group for path, group in TOGETHER.items() if file.startswith(path)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Return the scheduler, which decides which process runs which tests."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_configure(config):
    """Ignore sockets of cancelled connection attempts, which anyio before 4.16 does not close."""
    if Version(version("anyio")) < Version("4.16"):
        lost = r"ignore:unclosed (<socket|transport):ResourceWarning"
        config.addinivalue_line("filterwarnings", lost)


def pytest_collection_finish():
    """Exclude the collected tests from garbage collection, because they stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ministack():
    """A running ministack with a user and a role; it checks signatures."""
    with ministack_server.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _signals():
    """Give signals their usual handlers, also if the tests run in the background or under nohup."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
