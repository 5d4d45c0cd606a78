"""Test how an emulator starts and stops, its address, and the record of its requests."""

import contextlib
import importlib
import socket
import sys
import threading
from threading import Event
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from sagemaker_runtime_client import emulator as package
from sagemaker_runtime_client.emulator import Emulator, _app, serve
from sagemaker_runtime_client.emulator._environment import no_proxy
from sagemaker_runtime_client.emulator._records import MOST_RECORDS
from sigv4 import Payload
from tests.emulator.wire import INVOCATION, TIMEOUT, address, call, sign_request


def test_stopping_leaves_nothing_behind():
    """When an emulator stops, all its threads end, and all its sockets are closed.

    This holds even if a model is running, or a client has not sent all of its request.
    """
    before = set(threading.enumerate())
    running = Event()

    def model(request):
        running.set()
        return request.cancelled.wait(TIMEOUT) and b""

    with Emulator(model) as emulator:
        call(emulator, "POST", INVOCATION, (), b"in")
        assert running.wait(TIMEOUT)
        idle = socket.create_connection(address(emulator), TIMEOUT)
        half = socket.create_connection(address(emulator), TIMEOUT)
        begun = {"content-length": "9", "expect": "100-continue"}
        half.sendall(sign_request(emulator, "PUT", "/bucket/key", begun, payload=Payload.UNSIGNED))
        assert half.recv(1024).startswith(b"HTTP/1.1 100 ")
    assert set(threading.enumerate()) <= before
    with idle, half:
        assert (idle.recv(1), half.recv(1)) == (b"", b"")
    with pytest.raises(URLError, match="refused"):
        urlopen(emulator.url)


def test_connection_during_stop():
    """A connection that is opened just before the emulator stops is closed as well."""
    for _ in range(20):
        with Emulator() as emulator:
            late = socket.create_connection(address(emulator), TIMEOUT)
        with late, contextlib.suppress(ConnectionResetError):
            assert late.recv(1) == b""


def test_listens_on_the_loopback_address_only(emulator):
    """By default the emulator listens on a free port of the loopback address."""
    assert address(emulator)[0] == "127.0.0.1"
    with Emulator() as other:
        assert other.url != emulator.url


def test_environ(emulator, monkeypatch):
    """`environ` contains the emulator's endpoints, region and credentials, which are random."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert emulator.environ == {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulator.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_INFERENCE_ROUTER_RUNTIME": emulator.url,
        "AWS_ENDPOINT_URL_S3": emulator.url,
        "AWS_ENDPOINT_URL_SNS": emulator.url,
        "AWS_ENDPOINT_URL_SQS": emulator.url,
        "AWS_ACCESS_KEY_ID": emulator.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.credentials.secret_access_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    assert Emulator().credentials.access_key_id != emulator.credentials.access_key_id


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"NO_PROXY": "a, b"}, "a,b,127.0.0.1"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "b,127.0.0.1"),
        ({"no_proxy": "127.0.0.1,a"}, "127.0.0.1,a"),
        ({"no_proxy": "*"}, "*"),
    ],
    ids=["others", "both", "there already", "all"],
)
def test_bypasses_proxy(known, expected):
    """`no_proxy` returns both variables with the emulator's host added to the known hosts."""
    variables = {"NO_PROXY": expected, "no_proxy": expected}
    assert no_proxy(known, "127.0.0.1") == variables


def test_outside_of_with():
    """Before an emulator's context is entered, `url` raises an error; it can be entered only once."""
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="use it in a with statement"):
        emulator.url  # noqa: B018
    with emulator:
        pass
    with pytest.raises(RuntimeError, match="only once"):
        emulator.__enter__()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_path": "https://b/out"}, "output_path must be like s3://bucket/prefix"),
        (
            {"failure_path": "s3:///x"},
            "failure_path must be like s3://bucket/prefix, not 's3:///x'",
        ),
        ({"concurrency": -1}, "concurrency must be 0 or more, not -1"),
    ],
    ids=["output path", "failure path", "concurrency"],
)
def test_invalid_arguments(arguments, message):
    """An invalid argument raises ValueError when the emulator is created."""
    with pytest.raises(ValueError, match=message):
        Emulator(**arguments)


def test_address_in_use(emulator):
    """If the address is in use, entering the emulator's context raises an error."""
    with pytest.raises(OSError, match="in use"):
        Emulator(port=address(emulator)[1]).__enter__()


def test_record_of_requests(emulator):
    """A request is recorded with its raw target and its headers, but without secrets."""
    call(emulator, "PUT", "/bucket/a%2Fb", {"x-amz-meta-a": "1"}, b"body")
    (request,) = emulator.requests
    assert (request.method, request.target, request.operation) == (
        "PUT",
        "/bucket/a%2Fb",
        "PutObject",
    )
    assert (request.status, request.outcome) == (200, "ok")
    assert request.header("x-amz-meta-a") == "1"
    assert request.header("authorization") == "***"
    assert request.header("x-none") is None


def test_the_record_is_bounded(emulator, monkeypatch):
    """If there are too many records, the oldest are removed; invalid requests are recorded, too."""
    monkeypatch.setattr(_app, "MOST_RECORDS", 3)
    for number in range(5):
        call(emulator, "GET", f"/bucket/{number}", region="elsewhere")
    assert [one.target for one in emulator.requests] == ["/bucket/2", "/bucket/3", "/bucket/4"]
    assert {one.outcome for one in emulator.requests} == {"AuthorizationHeaderMalformed"}


def test_the_bound_is_documented():
    """The docstring of `requests` states the maximum number of records."""
    assert f"{MOST_RECORDS:,} requests" in Emulator.requests.__doc__


def test_serve():
    """`serve` calls *ready* with the listening emulator, and blocks until *stop* is set."""
    stop, seen = Event(), []

    def ready(emulator):
        seen.append(call(emulator, "PUT", "/bucket/key").status)
        stop.set()

    serve(ready=ready, stop=stop)
    assert seen == [200]


def test_serve_without_ready():
    """The argument *ready* of `serve` is optional."""
    stop = Event()
    stop.set()
    assert serve(stop=stop) is None


def test_without_the_extra(monkeypatch):
    """Without starlette, the import fails with a message that contains the install command."""
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(ImportError, match=r"pip install 'sagemaker-runtime-client\[emulator\]'"):
        importlib.reload(package)


@pytest.mark.parametrize(
    ("old", "new"), [("Garbled", "MalformedResponse"), ("Refusal", "ErrorResponse")]
)
def test_former_names(old, new):
    """Renamed objects are still available by their names of version 0.1.0, with a warning."""
    with pytest.warns(DeprecationWarning, match=rf"\.{old} is deprecated: use .*\.{new} instead$"):
        assert getattr(package, old) is getattr(package, new)


def test_unknown_name():
    """Accessing a name that the package does not have raises AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'Unknown'"):
        package.Unknown  # noqa: B018


def test_public_names():
    """The public names are sorted case-insensitively, and each of them exists."""
    assert sorted(package.__all__, key=str.lower) == package.__all__
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
