"""Test uploads to a scripted store, some of whose responses are errors."""

import pickle
from itertools import count

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    InternalFailureError,
    ObjectNotFoundError,
    PreconditionFailedError,
    Response,
    ServiceError,
    SourceError,
    TransportError,
)
from tests.runtime_client.scripted_io import ACCESS_DENIED, dropped
from tests.runtime_client.uploads.store import (
    CONTENT,
    EXISTS,
    INTERNAL,
    LATE,
    MIB,
    NO_SUCH_UPLOAD,
    UNKNOWN,
    Store,
    crc,
    upload,
)

SINGLE = CONTENT[: 2 * MIB]
REFUSED = dropped("ConnectError", accepted=False)


def test_without_failures():
    """An upload in parts is created with a checksum, and completed with that of the whole object."""
    store = Store()
    stored, sent = upload(store)
    assert store.object == CONTENT
    assert (stored.etag, stored.size) == (store.etag, len(CONTENT))
    create, *parts, complete = sent
    assert create.header("x-amz-checksum-type") == "FULL_OBJECT"
    assert create.header("x-amz-checksum-algorithm") == "CRC32"
    for part in parts:
        assert part.header("x-amz-content-sha256") == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert part.header("content-encoding") == "aws-chunked"
    assert complete.header("x-amz-checksum-crc32") == crc(CONTENT)
    assert complete.header("x-amz-mp-object-size") == str(len(CONTENT))
    assert store.kinds == ["create", "part", "part", "part", "complete"]


def test_one_request():
    """A body of at most 8 MiB is sent in one request, with its checksum in a trailer."""
    store = Store()
    stored, (sent,) = upload(store, SINGLE)
    assert store.object == SINGLE
    assert sent.header("x-amz-trailer") == "x-amz-checksum-crc32"
    assert (stored.etag, stored.size) == (store.etag, len(SINGLE))


def test_small_body():
    """A small body is signed, and its checksum is sent in a header."""
    store = Store()
    _, (sent,) = upload(store, b"body")
    sent.verify("s3")
    assert sent.header("x-amz-checksum-crc32") == crc(b"body")


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_when_required(source):
    """If checksums are sent only when required, bodies are not signed, and no checksum is sent."""
    store = Store(checksum_type=None)
    _, sent = upload(store, source, settings={"request_checksum_calculation": "when_required"})
    assert store.object == source
    bodies = [one for one in sent if one.request.method == "PUT"]
    assert {one.header("x-amz-content-sha256") for one in bodies} == {"UNSIGNED-PAYLOAD"}
    assert not [name for one in sent for name, _ in one.request.headers if "checksum" in name]


@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_http(source, checksums):
    """Over http, each body is signed, and its checksum, if enabled, is sent in a header."""
    store = Store()
    settings = {"s3_endpoint_url": "http://s3.test", "request_checksum_calculation": checksums}
    _, sent = upload(store, source, settings=settings)
    assert store.object == source
    for one in sent:
        one.verify("s3")
        if one.request.method == "PUT":
            stated = one.header("x-amz-checksum-crc32")
            expected = crc(one.request.body) if checksums == "when_supported" else None
            assert stated == expected


# Faults after which an upload succeeds, and the total number of requests.
RETRIED = {
    "part dropped": ({"part": [dropped(), dropped()]}, 7),
    "part refused": ({"part": [INTERNAL, REFUSED]}, 7),
    "part fails late": ({"part": [LATE]}, 6),
    "create refused": ({"create": [INTERNAL, LATE]}, 7),
    "complete refused": ({"complete": [INTERNAL, LATE]}, 7),
    "response to complete lost": ({"complete": [dropped()]}, 7),
    "complete lost and refused": ({"complete": [dropped(), INTERNAL]}, 8),
    "no connection to complete": ({"complete": [REFUSED]}, 6),
    "all responses to complete lost": ({"complete": [dropped()], "head": [dropped()]}, 8),
}


@pytest.mark.parametrize(("faults", "requests"), RETRIED.values(), ids=RETRIED)
@pytest.mark.parametrize("checksum_type", ["FULL_OBJECT", "COMPOSITE", None])
def test_retries(faults, requests, checksum_type):
    """After a temporary fault, only the failed request is repeated, and the upload succeeds."""
    store = Store(faults, checksum_type)
    stored, sent = upload(store)
    assert store.object == CONTENT
    assert (stored.size, stored.etag) == (len(CONTENT), store.etag)
    assert store.uploads == {}
    assert len(sent) == requests


# Faults after which an upload fails, the type of the error, and whether the upload is aborted.
FAILED = {
    "create denied": ({"create": [ACCESS_DENIED]}, AccessDeniedError, False),
    "part denied": ({"part": [ACCESS_DENIED]}, AccessDeniedError, True),
    "part dropped": ({"part": [dropped() for _ in range(9)]}, TransportError, True),
    "part refused": ({"part": [INTERNAL for _ in range(9)]}, InternalFailureError, True),
    "upload aborted by another": ({"part": [NO_SUCH_UPLOAD]}, ObjectNotFoundError, True),
    "complete denied": ({"complete": [ACCESS_DENIED]}, AccessDeniedError, True),
    "complete refused": ({"complete": [INTERNAL, LATE, INTERNAL]}, InternalFailureError, True),
    "no upload": ({"complete": [NO_SUCH_UPLOAD]}, ObjectNotFoundError, True),
    "no connection": ({"complete": [REFUSED] * 3}, TransportError, True),
}


@pytest.mark.parametrize(("faults", "kind", "aborts"), FAILED.values(), ids=FAILED)
def test_failures(faults, kind, aborts):
    """If a request fails permanently, its error is raised, and an upload that exists is aborted."""
    store = Store(faults)
    with pytest.raises(kind) as raised:
        upload(store)
    pickle.loads(pickle.dumps(raised.value))
    assert store.object is None
    assert store.uploads == {}
    assert (store.kinds[-1] == "abort") == aborts


class Unanswered(Store):
    """A store that never responds to a request to complete an upload, and does not carry it out."""

    def _complete(self, _sent):
        return dropped()


def test_never_aborted_without_an_answer():
    """If requests to complete an upload get no response, and there is no object, it is not aborted.

    S3 may still be completing the upload.
    """
    store = Unanswered()
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert raised.value.possibly_accepted
    assert store.kinds[-4:] == ["complete", "complete", "complete", "head"]
    assert len(store.uploads) == 1


def test_answer_after_no_answer():
    """If the first request to complete an upload gets no response, later errors do not abort it."""
    store = Unanswered({"complete": [None, INTERNAL, INTERNAL]})
    with pytest.raises(InternalFailureError):
        upload(store)
    assert store.kinds[-1] == "head"
    assert len(store.uploads) == 1


def test_unknown_end():
    """If it cannot be determined whether the object was written, a note of the error states this."""
    store = Unanswered({"head": [ACCESS_DENIED]})
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert "whether the object was written could not be found out" in raised.value.__notes__[0]


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_condition(source):
    """With ``if_none_match="*"``, an existing object is not replaced, and no upload remains."""
    store = Store()
    store.object, store.etag = b"other", '"e"'
    with pytest.raises(PreconditionFailedError):
        upload(store, source, if_none_match="*")
    assert (store.object, store.uploads) == (b"other", {})


@pytest.mark.parametrize("checksum_type", ["FULL_OBJECT", "COMPOSITE", None])
@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_condition_and_lost_response(source, checksum_type):
    """If the first response is lost, and the retry reports that the object exists, the upload succeeds.

    The object is recognized as the one that the first request has written.
    """
    faults = {"complete": [dropped(), EXISTS], "put": [dropped()]}
    store = Store(faults, checksum_type)
    store.states_checksums = checksum_type == "FULL_OBJECT" or source is SINGLE
    stored, _ = upload(store, source, if_none_match="*")
    assert (store.object, stored.etag) == (source, store.etag)
    assert store.kinds[-1] == "head"


@pytest.mark.parametrize("other", [b"other", CONTENT[::-1], SINGLE[::-1]])
@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_object_of_another(source, other):
    """If another program has written the object, PreconditionFailedError is raised."""

    class Raced(Store):
        def _write(self, sent):
            self.object, self.etag = other, '"other"'
            return dropped()

        _put = _complete = _write

    store = Raced({"put": [None, EXISTS], "complete": [None, EXISTS]})
    with pytest.raises(PreconditionFailedError):
        upload(store, source, if_none_match="*")
    assert (store.object, store.uploads) == (other, {})


def test_abort_fails():
    """If the upload cannot be aborted, a note of the error says to call abort_uploads later."""
    store = Store({"part": [ACCESS_DENIED], "abort": [ACCESS_DENIED]})
    with pytest.raises(AccessDeniedError) as raised:
        upload(store)
    assert "call abort_uploads later" in raised.value.__notes__[0]


class TestOtherStores:
    """Uploads to stores that do not support all features of S3."""

    def test_composite(self):
        """If a store combines the parts' checksums, the request to complete the upload states them."""
        store = Store(checksum_type="COMPOSITE")
        _, (*_, complete) = upload(store)
        assert store.object == CONTENT
        assert complete.header("x-amz-checksum-crc32") is None
        assert complete.request.body.count(b"<ChecksumCRC32>") == 3

    def test_no_checksums(self):
        """If a store ignores checksums of uploads, the parts are signed, and have no trailers."""
        store = Store(checksum_type=None)
        _, (_, *parts, complete) = upload(store)
        assert store.object == CONTENT
        for part in parts:
            part.verify("s3")
            assert part.header("x-amz-checksum-crc32") == crc(part.request.body)
        assert complete.header("x-amz-checksum-crc32") is None

    def test_rejected_checksums(self):
        """If a store rejects the checksum of an upload, the upload is created without a checksum."""
        store = Store({"create": [UNKNOWN]}, checksum_type=None)
        upload(store)
        assert store.object == CONTENT
        assert store.kinds[:2] == ["create", "create"]

    @pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
    def test_rejected_trailers(self, source):
        """If a store rejects a trailer, the body is sent again, and no further trailers are sent."""
        store = Store({"put": [UNKNOWN], "part": [UNKNOWN]})
        _, sent = upload(store, source, concurrency=1)
        assert store.object == source
        trailers = [one for one in sent if one.header("x-amz-trailer") is not None]
        assert len(trailers) == 1

    @pytest.mark.parametrize("kind", ["create", "part"])
    def test_other_errors(self, kind):
        """An error is raised unless it may mean that the store does not support a feature."""
        with pytest.raises(ServiceError):
            upload(Store({kind: [ACCESS_DENIED]}))


def test_content_encoding():
    """In the Content-Encoding header, ``aws-chunked`` precedes the encoding of the object."""
    store = Store()
    _, (sent,) = upload(store, SINGLE, content_encoding="gzip")
    assert sent.header("content-encoding") == "aws-chunked,gzip"


def test_too_many_parts(monkeypatch):
    """If a stream has too many parts, the upload is aborted, and the error suggests larger parts."""
    monkeypatch.setattr("sagemaker_runtime_client._s3.uploads.parts.MAX_PARTS", 2)
    store = Store()
    with pytest.raises(
        SourceError, match=r"more than 2 parts of .* bytes: pass a larger part_size"
    ):
        upload(store, (bytes(MIB) for _ in count()))
    assert store.uploads == {}


def test_progress():
    """Even if a request is repeated, the progress never decreases, and it ends at the size."""
    seen = []
    upload(Store({"part": [dropped(), dropped()]}), on_progress=lambda *args: seen.append(args))
    done = [sent for sent, _ in seen]
    assert done == sorted(set(done))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_progress_of_a_stream():
    """The total size of a stream is reported as None until the end of the stream was read."""
    seen = []
    upload(Store(), iter([CONTENT]), concurrency=1, on_progress=lambda *args: seen.append(args))
    assert seen[0][1] is None
    assert seen[-1] == (len(CONTENT), len(CONTENT))


class StopError(Exception):
    """An error that a progress function raises."""


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_error_in_progress(source):
    """If the progress function raises an error, it is raised, and no upload remains."""

    def fail(*_):
        raise StopError

    store = Store()
    with pytest.raises(StopError):
        upload(store, source, on_progress=fail)
    assert store.uploads == {}


def test_upload_that_is_gone():
    """If another program has aborted the upload, the error of the part is raised without a note."""

    class Gone(Store):
        def _part(self, sent):
            self.uploads.clear()
            return super()._part(sent)

    store = Gone()
    with pytest.raises(ObjectNotFoundError) as raised:
        upload(store)
    assert store.kinds[-1] == "abort"
    assert not hasattr(raised.value, "__notes__")


def test_other_entity_tags():
    """If neither entity tags nor checksums can be compared, a lost completion raises the error."""

    class Encrypted(Store):
        def _part(self, sent):
            super()._part(sent)
            return Response(200, {"etag": '"not-md5"'})

    store = Encrypted({"complete": [dropped() for _ in range(3)]}, checksum_type=None)
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert raised.value.possibly_accepted
