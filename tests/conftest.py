"""What is around each test: the look-out for secrets, and servers that run from their first use to the end."""

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
    """Whatever a test does, at DEBUG: no secret of it is in what we log, raise, show or write."""
    with canaries.watch() as seen:
        yield seen
    assert not seen.leaks, "\n".join(seen.leaks)


# What is made once a session, and takes long: whose tests are for one process.
TOGETHER = {
    "tests/runtime_client/layer/": "layers",
    "tests/runtime_client/credentials/test_ministack.py": "ministack",
    "tests/sigv4/test_round_trips.py": "ministack",
}


class Scheduling(LoadFileScheduling):
    """Gives each process whole files, in their order, and files that go together."""

    def _split_scope(self, nodeid):
        """Return what a test goes together with."""
        file = super()._split_scope(nodeid)
        return next((group for path, group in TOGETHER.items() if file.startswith(path)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Say which process runs which tests."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_configure(config):
    """Overlook what anyio before 4.16 leaves to the garbage collector: sockets of cancelled connects."""
    if Version(version("anyio")) < Version("4.16"):
        lost = r"ignore:unclosed (<socket|transport):ResourceWarning"
        config.addinivalue_line("filterwarnings", lost)


def pytest_collection_finish():
    """Spare the garbage collector what stays to the end: thousands of tests, looked through each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ministack():
    """A ministack, which checks signatures, with a user and a role."""
    with ministack_server.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _signals():
    """Signals do what they do in a terminal, in a background job and under nohup as well."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
