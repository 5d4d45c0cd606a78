"""Test downloads from a server that produces one of several faults at one of the requests."""

from contextlib import nullcontext

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    ChecksumError,
    ObjectNotFoundError,
    ObjectReplacedError,
    TransportError,
)
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.s3.downloads import faults
from tests.runtime_client.s3.downloads.object_server import (
    PART,
    ObjectServer,
    content,
    crc32,
    head,
    names,
)

LOCATION = "s3://bucket/key"
BODY = content(4 * PART)
REQUESTS = 5  # four for the ranges, and one HEAD request

pytestmark = pytest.mark.usefixtures("shortest_pauses")


def download(driver, server, target, **options):
    """Download the object with a short read timeout."""
    client = driver.client(**pointed_at(server, max_attempts=3, read_timeout=0.5))
    return client.download(LOCATION, target, part_size=PART, concurrency=2, **options)


@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("fault", faults.HARMLESS.values(), ids=faults.HARMLESS)
def test_one_fault(plain_driver, fault, number, tmp_path):
    """If one request has a temporary fault, the file is still complete and verified."""
    with ObjectServer(BODY, faults={number: fault}) as server:
        found = download(plain_driver, server, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == BODY
    assert (found.verified, names(tmp_path)) == ("CRC32", ["out"])
    assert len(server.requests) > REQUESTS or fault in {faults.flip, faults.truncate}


@pytest.mark.parametrize("number", range(REQUESTS))
def test_denied(plain_driver, number, tmp_path):
    """If any request is denied, the error is raised, and no file remains."""
    with (
        ObjectServer(BODY, faults={number: faults.deny}) as server,
        pytest.raises(AccessDeniedError),
    ):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", range(1, REQUESTS))
def test_replaced(plain_driver, number, tmp_path):
    """If the object is replaced between two requests, ObjectReplacedError is raised."""
    (tmp_path / "out").write_bytes(b"old")
    with (
        ObjectServer(BODY, replaced_at=number) as server,
        pytest.raises(ObjectReplacedError, match="was replaced while it was being read"),
    ):
        download(plain_driver, server, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_ignored_condition(plain_driver, tmp_path):
    """If a store ignores If-Match, a changed entity tag in a response raises an error."""
    server = ObjectServer(BODY, replaced_at=3)
    original = server.respond
    server.respond = lambda request: original(
        request._replace(headers=[pair for pair in request.headers if pair[0] != "if-match"])
    )
    with server, pytest.raises(ObjectReplacedError):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


def other_checksum(_body):
    """Return the header with the checksum of another body."""
    return crc32(b"other")


@pytest.mark.parametrize("kind", ["path", "memory", "resumable"])
def test_damaged(plain_driver, kind, tmp_path, caplog):
    """If the object does not match its checksum in two downloads, ChecksumError is raised."""
    target = bytearray() if kind == "memory" else tmp_path / "out"
    with ObjectServer(BODY, other_checksum) as server, pytest.raises(ChecksumError) as caught:
        download(plain_driver, server, target, resume=kind == "resumable")
    assert "its CRC32 differs from the one that S3 sent" in str(caught.value)
    assert caplog.text.count("downloading the object again") == 1
    assert len(server.requests) == 2 * REQUESTS
    assert names(tmp_path) == []


@pytest.mark.parametrize("cuts", [5, 6])
def test_cut_again_and_again(plain_driver, cuts, tmp_path):
    """The rest of a range is requested at most five times if little data arrive each time."""
    with ObjectServer(BODY[:PART], faults=dict.fromkeys(range(cuts), faults.cut)) as server:
        client = plain_driver.client(
            **pointed_at(server, response_checksum_validation="when_required")
        )
        with pytest.raises(TransportError) if cuts > 5 else nullcontext():
            client.download(LOCATION, tmp_path / "out", part_size=PART)
    assert names(tmp_path) == ["out"][: 6 - cuts]
    starts = [int(wanted[6:].split("-")[0]) for wanted in server.ranges]
    assert starts == sorted(set(starts))
    assert len(starts) == 6


def test_rest_of_a_part(plain_driver, tmp_path):
    """After the connection is cut, only the rest of the range is requested."""
    body = content(20 * PART)
    with ObjectServer(body, faults={0: faults.cut}) as server:
        client = plain_driver.client(**pointed_at(server))
        client.download(LOCATION, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == body
    first, second = server.ranges
    assert first == "bytes=0-8388607"
    assert second.endswith(f"-{len(body) - 1}")
    assert int(second[6:].split("-")[0]) > 0


BAD_HEADS = {
    "another range": {"Content-Range": f"bytes 1-{PART}/{len(BODY)}"},
    "a shorter range": {"Content-Range": f"bytes 0-{PART - 2}/{len(BODY)}"},
    "no range": {},
    "not a range": {"Content-Range": "bytes 0-x/y"},
    "no size": {"Content-Range": f"bytes 0-{PART - 1}/*"},
    "a range beyond the end": {"Content-Range": f"bytes 0-{PART - 1}/{PART - 1}"},
    "a long number": {"Content-Range": f"bytes 0-{PART - 1}/{'9' * 30}"},
}


@pytest.mark.parametrize("headers", BAD_HEADS.values(), ids=BAD_HEADS)
def test_bad_head(plain_driver, headers, tmp_path):
    """A response that does not state the requested range is rejected."""
    server = ObjectServer(BODY)
    server.respond = lambda _request: head(206, PART, {"ETag": '"x"', **headers}) + BODY[:PART]
    with server, pytest.raises(TransportError, match="the response of S3"):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [200, 204])
def test_whole_object_instead_of_a_part(plain_driver, status, tmp_path):
    """If a store responds to a request for a later range with status 200 or 204, an error is
    raised.
    """
    server = ObjectServer(BODY)

    def respond(request):
        if request.header("range") == f"bytes={PART}-{2 * PART - 1}":
            return head(status, len(BODY), {"ETag": server.etag}) + BODY
        return ObjectServer.respond(server, request)

    server.respond = respond
    with server, pytest.raises(TransportError, match="the response of S3"):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


def test_no_entity_tag(plain_driver, tmp_path):
    """If S3 states no entity tag, the rest is not requested, because the object may have changed."""
    server = ObjectServer(BODY[:PART], faults={0: faults.cut})
    original = server.respond
    server.respond = lambda request: original(request).replace(b"ETag", b"X-Tag")
    with server, pytest.raises(TransportError):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


def test_no_such_key(plain_driver, tmp_path):
    """If the key does not exist, ObjectNotFoundError is raised, and no file remains."""
    error = b"<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"
    server = ObjectServer(BODY)
    server.respond = lambda _request: head(404, len(error)) + error
    with server, pytest.raises(ObjectNotFoundError):
        download(plain_driver, server, tmp_path / "out")
    assert names(tmp_path) == []


def test_size_that_changes(plain_driver, tmp_path):
    """If the first range does not exist, but HEAD states a size of 5, ObjectReplacedError is
    raised.
    """
    server = ObjectServer(b"")
    server.respond = lambda request: head(416 if request.method == "GET" else 200, 5)
    with server, pytest.raises(ObjectReplacedError):
        download(plain_driver, server, tmp_path / "out")


def test_timeout(plain_driver, tmp_path):
    """If the server stalls, the download ends with an error when its timeout elapses."""
    with ObjectServer(BODY, faults={2: faults.stall}) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(TransportError):
            client.download(LOCATION, tmp_path / "out", part_size=PART, timeout=1)
    assert names(tmp_path) == []


def test_damaged_pipe(plain_driver, tmp_path):
    """If the target cannot be written again, a wrong checksum raises an error without a retry."""
    with (
        ObjectServer(BODY, other_checksum) as server,
        (tmp_path / "out").open("ab") as file,
        pytest.raises(ChecksumError),
    ):
        download(plain_driver, server, file)
    assert len(server.requests) == REQUESTS


def test_description_of_another_version(plain_driver, tmp_path):
    """If HEAD describes another version than the requested one, ObjectReplacedError is raised."""
    server = ObjectServer(BODY)
    original = server.respond

    def respond(request):
        response = original(request)
        tag = server.etag.encode()
        return response.replace(tag, b'"other"') if request.method == "HEAD" else response

    server.respond = respond
    with server, pytest.raises(ObjectReplacedError):
        download(plain_driver, server, tmp_path / "out")


def test_many_cuts(plain_driver, tmp_path):
    """If enough data arrive each time, the rest of a range is requested more than five times."""
    body = content(200 * PART)

    def cut_later(response, connection):
        connection.sendall(response[: 26 * PART])

    with ObjectServer(body, faults=dict.fromkeys(range(7), cut_later)) as server:
        client = plain_driver.client(
            **pointed_at(server, response_checksum_validation="when_required")
        )
        client.download(LOCATION, tmp_path / "out", part_size=len(body))
    assert (tmp_path / "out").read_bytes() == body
    assert len(server.requests) > 7


def test_no_data_at_all(plain_driver, tmp_path):
    """If no data arrive before the connection is cut, the range is requested again."""

    def cut_after_head(response, connection):
        connection.sendall(response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    with ObjectServer(BODY, faults={0: cut_after_head}) as server:
        download(plain_driver, server, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == BODY
