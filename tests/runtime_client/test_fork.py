"""A fork while another thread makes the first call of the process, and imports what that needs."""

import subprocess
import sys

import pytest

from tests.runtime_client.loopback import Loopback, response

# A thread makes a first call.  As it imports a module it stops until the main thread had its time to
# fork: a fork that waits for the import lets that time go by.  The child then makes a call of its own.
# Before it signs, the thread waits for the fork: what OpenSSL locks at its first use is not ours.
PROGRAM = """
import os, signal, sys, threading, warnings
sys.path[:0] = {path}
from sagemaker_runtime_client import *
from sigv4 import Credentials

warnings.simplefilter("ignore", DeprecationWarning)  # of a fork where there are threads
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
    was_forked = threading.Event()  # the lock of the other may be taken
    was_forked.set()
    signal.alarm(20)  # a child that hangs is killed
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
        "email.utils",
        "sagemaker_runtime_client._pool._core",
        "sagemaker_runtime_client._outcome",
        "sagemaker_runtime_client.credentials._assume_role",
    ],
)
def test_a_child_that_is_forked_during_an_import_can_call(module, bare_environment):
    """The child finds each module whole, and no lock of one taken by a thread that it has not got."""
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
    assert "0\n" == done.stdout, done.stderr
