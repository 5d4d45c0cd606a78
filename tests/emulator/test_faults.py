"""Test the faults that can be injected into an emulator."""

import json
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Thread
from time import monotonic, sleep

import pytest

from sagemaker_runtime_client.emulator import Emulator, ErrorResponse, Faults, Latency, StaleOutput
from tests.emulator.wire import (
    INPUT,
    INVOCATION,
    TIMEOUT,
    address,
    build_request,
    call,
    receive_until_reset,
    send,
    sign_request,
)

OUTPUT = "x-amzn-sagemaker-outputlocation"
INVOKE = "InvokeEndpointAsync"


@pytest.mark.parametrize(
    ("fault", "status", "code", "body"),
    [
        (Faults.THROTTLED, 400, "ThrottlingException", {"message": "Rate exceeded"}),
        (Faults.THROTTLED_429, 429, "ThrottlingException", {"message": "Rate exceeded"}),
        (Faults.THROTTLED_NULL, 400, None, {"message": None}),
        (Faults.INTERNAL_FAILURE, 500, "InternalFailure", {"Message": "Internal failure"}),
        (Faults.UNAVAILABLE, 503, "ServiceUnavailable", {"Message": "Service unavailable"}),
    ],
    ids=["400", "429", "null", "500", "503"],
)
def test_error_of_the_runtime(emulator, fault, status, code, body):
    """An injected error response is sent for one invocation; the next invocation is accepted."""
    emulator.faults.once(fault)
    response = call(emulator, "POST", INVOCATION, INPUT)
    assert (response.status, response.headers.get("x-amzn-errortype")) == (status, code)
    assert json.loads(response.body) == body
    assert emulator.jobs == ()
    assert emulator.requests[0].outcome == fault.code
    assert call(emulator, "POST", INVOCATION, INPUT).status == 202


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Faults.SLOW_DOWN, 503, b"<Code>SlowDown</Code>"),
        (Faults.ACCESS_DENIED, 403, b"<Code>AccessDenied</Code>"),
        (ErrorResponse(403, "AllAccessDisabled", headers={"retry-after": "1"}), 403, b"AllAccess"),
        (ErrorResponse(418), 418, b"<Code></Code>"),
    ],
    ids=["slow down", "access denied", "user-defined", "without a code"],
)
def test_error_of_s3(emulator, fault, status, code):
    """An injected error for an S3 operation has S3's format, and does not affect other operations."""
    emulator.faults.once(fault, on="GetObject")
    assert call(emulator, "PUT", "/bucket/key", (), b"there").status == 200
    response = call(emulator, "GET", "/bucket/key")
    assert response.status == status
    assert code in response.body
    assert response.headers.get("retry-after") == fault.headers.get("retry-after")
    assert emulator.requests[1].outcome == (fault.code or str(status))
    assert call(emulator, "GET", "/bucket/key").body == b"there"


def test_order_of_faults(emulator):
    """Each request for an operation gets the next one of the operation's queued faults.

    A permanent fault applies to every request until `clear` is called.
    """
    emulator.faults.once(Faults.THROTTLED, times=2, on=[INVOKE, "PutObject"])
    emulator.faults.once(Faults.INTERNAL_FAILURE, on=INVOKE)
    statuses = [call(emulator, "POST", INVOCATION, INPUT).status for _ in range(4)]
    assert statuses == [400, 400, 500, 202]
    emulator.faults.always(Faults.UNAVAILABLE, on=INVOKE)
    statuses = [call(emulator, "POST", INVOCATION, INPUT).status for _ in range(2)]
    assert statuses == [503, 503]
    emulator.faults.clear()
    assert call(emulator, "POST", INVOCATION, INPUT).status == 202
    assert [one.outcome for one in emulator.requests[:3]] == [
        "ThrottlingException",
        "ThrottlingException",
        "InternalFailure",
    ]


def test_unknown_operation():
    """Injecting a fault for an unknown operation raises an error immediately."""
    with pytest.raises(
        ValueError, match="unknown operations: InvokeModel; the emulator supports Abort"
    ):
        Faults().once(Faults.THROTTLED, on="InvokeModel")


def test_clear_resets_attributes():
    """`clear` also resets the attributes of `Faults` to their defaults."""
    faults = Faults()
    faults.clock_skew, faults.no_list_bucket, faults.no_failure_path = 5.0, True, True
    faults.bucket_regions["b"] = "eu-west-1"
    faults.clear()
    switches = (faults.clock_skew, faults.no_list_bucket, faults.no_failure_path)
    assert switches == (0.0, False, False)
    assert faults.bucket_regions == {}


def test_reset_before_the_request_is_read(emulator):
    """With `RESET_BEFORE_READ`, there is no response, and the request is not executed."""
    emulator.faults.once(Faults.RESET_BEFORE_READ, on=INVOKE)
    assert call(emulator, "PUT", "/bucket/key").status == 200
    received = receive_until_reset(emulator, sign_request(emulator, "POST", INVOCATION, INPUT))
    assert received == b""
    assert emulator.jobs == ()
    assert emulator.requests[1].outcome == "reset before_read"
    assert emulator.requests[1].target == INVOCATION
    assert call(emulator, "POST", INVOCATION, INPUT).status == 202


@pytest.mark.parametrize("cut", [10, 40, -4, -1])
def test_reset_before_a_head_in_pieces_is_read(emulator, cut):
    """`RESET_BEFORE_READ` also works if the request's head arrives in two pieces.

    The host name of this request contains the bucket.
    """
    host = f"bucket.localhost:{emulator.url.rpartition(':')[2]}"
    request = sign_request(emulator, "PUT", "/key", host=host)
    emulator.faults.once(Faults.RESET_BEFORE_READ, on="PutObject")
    with socket.create_connection(address(emulator), TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request[:cut])
        sleep(0.05)
        with suppress(ConnectionError):
            connection.sendall(request[cut:])
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert emulator.objects.list() == []
    assert [one.operation for one in emulator.requests] == ["PutObject"]
    assert call(emulator, "PUT", "/key", host=host).status == 200


def test_endless_head(emulator):
    """A request head of more than 64 KiB is rejected with the status 400."""
    request = build_request("GET", "/bucket/key", {"host": "h", "a": "x" * 70_000})[:-4]
    assert send(emulator, request).status == 400


def test_reset_before_read_stays_queued():
    """`RESET_BEFORE_READ` does not apply to a request that was already read, and stays queued."""
    faults = Faults()
    faults.once(Faults.RESET_BEFORE_READ)
    faults.once(Faults.THROTTLED)
    assert faults.take(INVOKE) == ()
    assert faults.take_before_read(INVOKE)
    assert faults.take(INVOKE) == (Faults.THROTTLED,)
    faults.always(Faults.RESET_BEFORE_READ)
    assert faults.take(INVOKE) == ()


def test_permanent_reset_before_the_request_is_read(emulator):
    """A permanent `RESET_BEFORE_READ` resets every connection."""
    emulator.faults.always(Faults.RESET_BEFORE_READ)
    for _ in range(2):
        assert (
            receive_until_reset(emulator, build_request("GET", "/bucket/key", {"host": "h"})) == b""
        )
    assert [one.status for one in emulator.requests] == [None, None]


def test_reset_after_the_request_was_executed(emulator):
    """With `RESET_AFTER_TAKEN`, there is no response, but the invocation is queued."""
    emulator.faults.once(Faults.RESET_AFTER_TAKEN)
    received = receive_until_reset(emulator, sign_request(emulator, "POST", INVOCATION, (), b"in"))
    assert received == b""
    emulator.wait_idle()
    assert [job.state for job in emulator.jobs] == ["completed"]
    assert emulator.requests[0].outcome == "reset after_taken"


def test_reset_in_the_head(emulator):
    """With `RESET_IN_HEAD`, half of the response's head is sent, and the invocation is queued."""
    emulator.faults.once(Faults.RESET_IN_HEAD)
    received = receive_until_reset(emulator, sign_request(emulator, "POST", INVOCATION, (), b"in"))
    assert received.startswith(b"HTTP/1.1 202 \r\n")
    assert b"\r\n\r\n" not in received
    assert len(emulator.jobs) == 1


def test_reset_in_the_body(emulator):
    """With `RESET_IN_BODY`, the head and half of the body are sent."""
    emulator.objects.put("s3://bucket/key", b"0123456789")
    emulator.faults.once(Faults.RESET_IN_BODY, on="GetObject")
    received = receive_until_reset(emulator, sign_request(emulator, "GET", "/bucket/key"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-length: 10" in head
    assert body == b"01234"
    emulator.faults.once(Faults.RESET_IN_BODY, on="HeadObject")
    assert receive_until_reset(emulator, sign_request(emulator, "HEAD", "/bucket/key")).endswith(
        b"\r\n\r\n"
    )


def test_missing_locations(emulator):
    """With `NO_LOCATIONS`, the invocation is accepted, but the 202 response has no locations."""
    emulator.faults.once(Faults.NO_LOCATIONS)
    response = call(emulator, "POST", INVOCATION, (), b"in")
    assert response.status == 202
    assert not [name for name in response.headers if name.endswith("location")]
    assert emulator.objects.wait_for(emulator.jobs[0].invocation.output_location).body == b"in"


def test_invalid_body(emulator):
    """With `BROKEN_BODY`, the invocation is accepted, but the body of the 202 response is not valid
    JSON.
    """
    emulator.faults.once(Faults.BROKEN_BODY)
    response = call(emulator, "POST", INVOCATION, (), b"in")
    assert (response.status, len(emulator.jobs)) == (202, 1)
    assert response.headers[OUTPUT]
    with pytest.raises(ValueError, match=r"delimiter|Unterminated"):
        json.loads(response.body)


def test_stale_output():
    """With `StaleOutput`, an older object is at the output location until the output replaces it."""
    with Emulator(concurrency=0) as emulator:
        emulator.faults.once(StaleOutput(b"old", age=60))
        filename = {"x-amzn-sagemaker-filename": "reused"}
        response = call(emulator, "POST", INVOCATION, filename, b"new")
        stale = emulator.objects.get(response.headers[OUTPUT])
        accepted = parsedate_to_datetime(response.headers["date"])
        assert stale.body == b"old"
        assert timedelta(seconds=59) <= accepted - stale.last_modified <= timedelta(seconds=61)
        emulator.set_concurrency(1)
        emulator.wait_idle()
        assert emulator.objects.get(response.headers[OUTPUT]).body == b"new"


def test_missing_key_without_list_bucket(emulator):
    """With `no_list_bucket`, requests for a missing key and for a listing get AccessDenied."""
    assert call(emulator, "GET", "/bucket/key").status == 404
    emulator.faults.no_list_bucket = True
    for method, target in (("GET", "/bucket/key"), ("GET", "/bucket?list-type=2")):
        response = call(emulator, method, target)
        assert response.status == 403
        assert b"<Code>AccessDenied</Code>" in response.body
    head = call(emulator, "HEAD", "/bucket/key")
    assert (head.status, head.body) == (403, b"")
    emulator.objects.put("s3://bucket/key", b"there")
    assert call(emulator, "GET", "/bucket/key").body == b"there"


def test_latency(emulator):
    """A request with the fault `Latency` is delayed by the specified time."""
    emulator.faults.once(Latency(0.05))
    before = monotonic()
    assert call(emulator, "PUT", "/bucket/key").status == 200
    assert monotonic() - before >= 0.05


def test_latency_ends_with_the_emulator():
    """An emulator stops immediately even if a request is being delayed."""
    failures = []

    def wait():
        try:
            send(emulator, request)
        except ConnectionError as error:
            failures.append(error)

    with Emulator() as emulator:
        emulator.faults.once(Latency(3600))
        request = sign_request(emulator, "PUT", "/bucket/key")
        thread = Thread(target=wait)
        thread.start()
        while emulator.faults._queued:
            thread.join(0.001)
    thread.join(TIMEOUT)
    assert len(failures) == 1
    assert not thread.is_alive()


def test_clock_skew_of_last_modified(emulator):
    """The fault `clock_skew` also shifts the modification time of new objects."""
    emulator.faults.clock_skew = -600
    call(emulator, "PUT", "/bucket/key", at=datetime.now(UTC) - timedelta(seconds=600))
    age = datetime.now(UTC) - emulator.objects.get("s3://bucket/key").last_modified
    assert timedelta(seconds=599) <= age <= timedelta(seconds=610)
