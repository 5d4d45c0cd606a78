"""Fixtures and hooks for all tests: leak detection, scheduling, and a shared ministack server."""

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
    """Fail the test if a secret appears in a DEBUG log, an error, a repr or a file."""
    with canaries.watch() as seen:
        yield seen
    assert not seen.leaks, "\n".join(seen.leaks)


# Maps a folder or file to the group of its tests.  The tests of a group run in the same process, so
# that their slow session fixtures are created only once.
TOGETHER = {
    "tests/runtime_client/layer/": "layers",
    "tests/runtime_client/credentials/test_ministack.py": "ministack",
    "tests/runtime_client/handlers/test_acceptance.py": "ministack",
    "tests/sigv4/test_round_trips.py": "ministack",
}


class Scheduling(LoadFileScheduling):
    """Assigns whole files to processes; files that share slow fixtures run in the same process."""

    def _split_scope(self, nodeid):
        """Return the group of a test: a name from `TOGETHER`, or its file."""
        file = super()._split_scope(nodeid)
        return next((group for path, group in TOGETHER.items() if file.startswith(path)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Return the scheduler, which decides which tests each process runs."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_configure(config):
    """Ignore warnings about unclosed sockets, which anyio < 4.16 leaves after a cancellation."""
    if Version(version("anyio")) < Version("4.16"):
        lost = r"ignore:unclosed (<socket|transport):ResourceWarning"
        config.addinivalue_line("filterwarnings", lost)


def pytest_collection_finish():
    """Exclude the collected tests from garbage collection, because they exist until the run ends."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ministack():
    """A running ministack that verifies signatures, with a user and a role."""
    with ministack_server.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _signals():
    """Handle SIGINT and SIGHUP as usual, even if the tests run in the background or under nohup."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
