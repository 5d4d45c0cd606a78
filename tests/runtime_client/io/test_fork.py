"""Test forks that happen while another thread imports modules for the first call of the process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident

import pytest

from sagemaker_runtime_client._io import generation
from tests.runtime_client.loopback import Loopback, response

# A thread makes a first call, and pauses in the middle of an import so that the main thread can
# fork.  If the fork waits for the import, the pause ends after 0.5 s.  The child process then makes
# a call, too.  Before the first thread signs its request, it waits for the end of the fork: OpenSSL
# acquires locks when it is first used, which this test does not cover.
PROGRAM = """
import os, signal, sys, threading, warnings
sys.path[:0] = {path}
from sagemaker_runtime_client import NoCredentialsError, SageMakerRuntimeClient
from sigv4 import Credentials

warnings.simplefilter("ignore", DeprecationWarning)  # about forking a process with threads
is_importing, was_forked = threading.Event(), threading.Event()

def stop(event, arguments):
    if event == "import" and arguments[0] == {module!r} and not is_importing.is_set():
        is_importing.set()
        was_forked.wait(0.5)

def keys():
    was_forked.wait()
    return Credentials("AKID", "canary-secret")

def call(credentials):
    where = {{"endpoint_url": {url!r}, "s3_endpoint_url": {url!r}, "region": "eu-west-1"}}
    with SageMakerRuntimeClient(**where, credentials=credentials) as client:
        return client.infer("e", b"x", timeout=20)

def found_none():
    try:
        call(None)
    except NoCredentialsError:
        pass

sys.addaudithook(stop)
first, second = (lambda: call(keys),) * 2 if {has_keys} else (found_none, found_none)
thread = threading.Thread(target=first, daemon=True)
thread.start()
assert is_importing.wait(20)
child = os.fork()
if child == 0:
    was_forked = threading.Event()  # a thread of the parent may hold the lock of the old event
    was_forked.set()
    signal.alarm(20)  # kill a child that hangs
    second()
    os._exit(0)
was_forked.set()
thread.join()
print(os.waitpid(child, 0)[1])
"""


def _answer(request, _):
    if request.method == "POST":
        return response(b"{}", 202, {"x-amzn-sagemaker-outputlocation": "s3://b/out"})
    return response(b"output")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    "module",
    [
        "httpx._api",
        "h11",
        "urllib.request",
        "email._parseaddr",
        "sagemaker_runtime_client._io.pool",
        "sagemaker_runtime_client._inference.wait",
        "sagemaker_runtime_client.credentials._assume_role",
    ],
)
def test_a_child_that_is_forked_during_an_import_can_call(module, bare_environment):
    """If a process forks while a thread imports a module, the child process can make a call."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        bare_environment.setenv(name, "none")
    bare_environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    has_keys = "credentials" not in module
    with Loopback(_answer) as server:
        program = PROGRAM.format(
            path=[name for name in sys.path if name],
            url=server.url,
            module=module,
            has_keys=has_keys,
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.stdout == "0\n", done.stderr


class Clock:
    """A clock that advances only in `sleep`, which also calls a given function."""

    def __init__(self, happens):
        self.now, self._happens = 0.0, happens

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self._happens()


@pytest.fixture
def imports(monkeypatch):
    """A new `_Imports`, and a function that sets the function to call during each sleep."""
    monkeypatch.setattr(generation, "time", Clock(None))
    return generation._Imports(), lambda happens: setattr(generation, "time", Clock(happens))


def in_a_thread(function):
    """Call a function in another thread, and return its result; fail if the function blocks."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(function).result(timeout=20)


def test_a_fork_waits_for_an_import(imports):
    """A fork waits until all import contexts that other threads have entered are left."""
    imports, at_each_pause = imports
    contexts = [imports(), imports()]
    for context in contexts:
        in_a_thread(context.__enter__)
    at_each_pause(lambda: contexts.pop().__exit__())
    imports.before_fork()
    assert contexts == []


def test_a_fork_does_not_wait_for_ever(imports):
    """If an import does not end, a fork waits for it only for `_MAX_IMPORT_TIME` seconds."""
    imports, at_each_pause = imports
    at_each_pause(bool)
    context = imports()
    in_a_thread(context.__enter__)
    imports.before_fork()
    assert generation.time.now == pytest.approx(generation._MAX_IMPORT_TIME, abs=0.01)


def test_an_import_that_was_interrupted_blocks_no_fork(imports):
    """If an import context is garbage-collected before it is left, for example after an interrupt,
    a fork does not wait for it.
    """
    imports, _ = imports
    in_a_thread(lambda: imports().__enter__())
    imports.before_fork()
    imports.after_fork()
    assert generation.time.now == 0

    def use():
        with imports():
            return True

    assert use()
    assert in_a_thread(use)


def test_an_import_waits_for_a_fork(imports):
    """If a thread enters an import context while another thread forks, the first thread waits for
    the end of the fork.
    """
    imports, at_each_pause = imports
    seen = []

    def end():
        seen.append(dict(imports.marks))
        imports.after_fork_in_child()

    at_each_pause(end)
    in_a_thread(imports.before_fork)
    with imports():
        assert seen == [{}]
        assert imports.marks
    assert not imports.marks


def test_a_fork_imports_for_itself(imports):
    """The thread that forks may import modules during the fork, because a signal handler may import
    some.
    """
    imports, _ = imports
    imports.before_fork()
    with imports():
        imports.after_fork()


def test_an_import_within_another_goes_on(imports):
    """If a thread that imports a module starts a nested import, the nested import does not
    wait for another thread's fork, because that fork waits for the outer import.
    """
    imports, _ = imports
    with imports():
        imports.forking[in_a_thread(get_ident)] = None
        with imports():
            assert len(imports.marks) == 2
