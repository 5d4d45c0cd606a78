"""Test uploads whose requests fail, with a scripted store."""

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
    """Up to 8 MiB are sent in one request, whose checksum is in a trailer."""
    store = Store()
    stored, (sent,) = upload(store, SINGLE)
    assert store.object == SINGLE
    assert sent.header("x-amz-trailer") == "x-amz-checksum-crc32"
    assert (stored.etag, stored.size) == (store.etag, len(SINGLE))


def test_small_body():
    """A small body is signed, and its checksum is in a header."""
    store = Store()
    _, (sent,) = upload(store, b"body")
    sent.verify("s3")
    assert sent.header("x-amz-checksum-crc32") == crc(b"body")


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_when_required(source):
    """If checksums are only sent when required, nothing is hashed, and nothing is stated."""
    store = Store(checksum_type=None)
    _, sent = upload(store, source, settings={"request_checksum_calculation": "when_required"})
    assert store.object == source
    bodies = [one for one in sent if one.request.method == "PUT"]
    assert {one.header("x-amz-content-sha256") for one in bodies} == {"UNSIGNED-PAYLOAD"}
    assert not [name for one in sent for name, _ in one.request.headers if "checksum" in name]


@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_http(source, checksums):
    """Over http, each body is signed; its checksum, if it is sent at all, is in a header."""
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


# Faults after which an upload succeeds, with the number of requests.
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
    """Each request is repeated by itself, and an object that was written counts as success."""
    store = Store(faults, checksum_type)
    stored, sent = upload(store)
    assert store.object == CONTENT
    assert (stored.size, stored.etag) == (len(CONTENT), store.etag)
    assert store.uploads == {}
    assert len(sent) == requests


# Faults after which an upload fails, with the error, and whether the upload is aborted.
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
    """If a request fails for good, the upload is aborted, and the error is raised."""
    store = Store(faults)
    with pytest.raises(kind) as raised:
        upload(store)
    pickle.loads(pickle.dumps(raised.value))
    assert store.object is None
    assert store.uploads == {}
    assert (store.kinds[-1] == "abort") == aborts


class Unanswered(Store):
    """A store to which no request to complete an upload gets through, though it may."""

    def _complete(self, _sent):
        return dropped()


def test_never_aborted_without_an_answer():
    """If a request to complete the upload got no answer, and the object is not there, the upload
    is not aborted, because S3 may still be completing it.
    """
    store = Unanswered()
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert raised.value.possibly_accepted
    assert store.kinds[-4:] == ["complete", "complete", "complete", "head"]
    assert len(store.uploads) == 1


def test_answer_after_no_answer():
    """An answered failure after a request without an answer does not abort the upload either."""
    store = Unanswered({"complete": [None, INTERNAL, INTERNAL]})
    with pytest.raises(InternalFailureError):
        upload(store)
    assert store.kinds[-1] == "head"
    assert len(store.uploads) == 1


def test_unknown_end():
    """If it cannot be found out whether the object was written, a note of the error says so."""
    store = Unanswered({"head": [ACCESS_DENIED]})
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert "whether the object was written could not be found out" in raised.value.__notes__[0]


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_condition(source):
    """If there is an object already, nothing is written."""
    store = Store()
    store.object, store.etag = b"other", '"e"'
    with pytest.raises(PreconditionFailedError):
        upload(store, source, if_none_match="*")
    assert (store.object, store.uploads) == (b"other", {})


@pytest.mark.parametrize("checksum_type", ["FULL_OBJECT", "COMPOSITE", None])
@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_condition_and_lost_response(source, checksum_type):
    """If the response was lost, and the condition does not hold in the retry, the object is the one
    that was written.
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
    """If the object is that of another program, the error is raised, and the upload is aborted."""

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
    """If the parts cannot be deleted, a note of the error says so."""
    store = Store({"part": [ACCESS_DENIED], "abort": [ACCESS_DENIED]})
    with pytest.raises(AccessDeniedError) as raised:
        upload(store)
    assert "call abort_uploads later" in raised.value.__notes__[0]


class TestOtherStores:
    """Stores that do not know all features of S3."""

    def test_composite(self):
        """If a store makes a checksum of the parts' checksums, they are stated in the end."""
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
        """If a store rejects checksums of uploads, the upload is created without."""
        store = Store({"create": [UNKNOWN]}, checksum_type=None)
        upload(store)
        assert store.object == CONTENT
        assert store.kinds[:2] == ["create", "create"]

    @pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
    def test_rejected_trailers(self, source):
        """If a store rejects a trailer, the body is sent again, and later ones have no trailers."""
        store = Store({"put": [UNKNOWN], "part": [UNKNOWN]})
        _, sent = upload(store, source, concurrency=1)
        assert store.object == source
        trailers = [one for one in sent if one.header("x-amz-trailer") is not None]
        assert len(trailers) == 1

    @pytest.mark.parametrize("kind", ["create", "part"])
    def test_other_errors(self, kind):
        """An error that does not mean that a feature is unknown is raised."""
        with pytest.raises(ServiceError):
            upload(Store({kind: [ACCESS_DENIED]}))


def test_content_encoding():
    """The encoding of an object follows that of its body."""
    store = Store()
    _, (sent,) = upload(store, SINGLE, content_encoding="gzip")
    assert sent.header("content-encoding") == "aws-chunked,gzip"


def test_too_many_parts(monkeypatch):
    """A stream with too many parts is aborted, and the error says what to do."""
    monkeypatch.setattr("sagemaker_runtime_client._s3.uploads.parts.MAX_PARTS", 2)
    store = Store()
    with pytest.raises(
        SourceError, match=r"more than 2 parts of .* bytes: pass a larger part_size"
    ):
        upload(store, (bytes(MIB) for _ in count()))
    assert store.uploads == {}


def test_progress():
    """The progress never decreases, also if a request is repeated, and ends with the size."""
    seen = []
    upload(Store({"part": [dropped(), dropped()]}), on_progress=lambda *args: seen.append(args))
    done = [sent for sent, _ in seen]
    assert done == sorted(set(done))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_progress_of_a_stream():
    """The size of a stream is reported when it is known."""
    seen = []
    upload(Store(), iter([CONTENT]), concurrency=1, on_progress=lambda *args: seen.append(args))
    assert seen[0][1] is None
    assert seen[-1] == (len(CONTENT), len(CONTENT))


class StopError(Exception):
    """An error that the function for the progress raises."""


@pytest.mark.parametrize("source", [SINGLE, CONTENT], ids=["one request", "parts"])
def test_error_in_progress(source):
    """If the function for the progress raises an error, the upload is aborted."""

    def fail(*_):
        raise StopError

    store = Store()
    with pytest.raises(StopError):
        upload(store, source, on_progress=fail)
    assert store.uploads == {}


def test_upload_that_is_gone():
    """If another program has aborted the upload, only the error of the part is raised."""

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
    """If the parts' entity tags are not MD5, an object without a checksum is not recognized."""

    class Encrypted(Store):
        def _part(self, sent):
            super()._part(sent)
            return Response(200, {"etag": '"not-md5"'})

    store = Encrypted({"complete": [dropped() for _ in range(3)]}, checksum_type=None)
    with pytest.raises(TransportError) as raised:
        upload(store)
    assert raised.value.possibly_accepted
