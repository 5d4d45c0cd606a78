"""Tests of conditional uploads: what is sent, and which failed conditions count as a success."""

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ParamValidationError,
    PreconditionFailedError,
    Response,
    ResponseTooLargeError,
    TransportError,
)
from sagemaker_runtime_client.emulator import Faults
from tests.runtime_client.clients import settings
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    NO_SUCH_KEY,
    ScriptedIO,
    core,
    dropped,
    run,
    s3_error,
)

LOCATION = "s3://bucket/key"
STORED = Response(200, {"etag": '"new"'})
FAILED = s3_error(412, "PreconditionFailed", "At least one of the pre-conditions failed")
CONFLICT = s3_error(409, "ConditionalRequestConflict", "conflict")
INTERNAL = s3_error(500, "InternalError")
THROTTLED = s3_error(503, "SlowDown")
OURS = Response(200, {"etag": '"ours"', "content-type": "a/b"}, b"body")
CONDITIONS = {"if_none_match": "*", "if_match": '"old"'}
each_condition = pytest.mark.parametrize("condition", CONDITIONS.items(), ids=CONDITIONS)


def put(io, **arguments):
    """Upload ``body``, and return the description of the object."""
    return run(core(io).put_object(LOCATION, b"body", **arguments))


def fails(error, io, **arguments):
    """Upload ``body``, check that an error of exactly this class is raised, and return the error."""
    with pytest.raises(error) as caught:
        put(io, **arguments)
    assert type(caught.value) is error
    return caught.value


def methods(io):
    """Return the HTTP methods of the requests that were sent."""
    return [sent.request.method for sent in io.sent]


@each_condition
def test_header(condition):
    """Each condition is sent in its own header, and put_object returns the new entity tag."""
    name, value = condition
    io = ScriptedIO([STORED])
    assert put(io, **{name: value}).etag == '"new"'
    header = name.replace("_", "-")
    (sent,) = io.sent
    assert sent.header(header) == value
    others = {"if-match", "if-none-match"} - {header}
    assert [sent.header(other) for other in others] == [None]


def test_no_condition():
    """If put_object is called without a condition, neither condition header is sent."""
    io = ScriptedIO([STORED])
    put(io)
    assert [io.sent[0].header(name) for name in ("if-match", "if-none-match")] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"if_none_match": '"tag"'}, "if_none_match"),
        ({"if_none_match": ""}, "if_none_match"),
        ({"if_none_match": True}, "if_none_match"),
        ({"if_match": ""}, "if_match"),
        ({"if_match": 'a"\r\nx-amz-acl: public-read'}, "if_match"),
        ({"if_match": "ä"}, "if_match"),
        ({"if_match": b"tag"}, "if_match"),
        ({"if_match": "tag", "if_none_match": "*"}, "if_match"),
    ],
)
def test_invalid(arguments, argument):
    """An invalid condition raises an error before anything is sent."""
    io = ScriptedIO([])
    error = fails(ParamValidationError, io, **arguments)
    assert (error.argument, io.sent) == (argument, [])


@each_condition
def test_condition_fails(condition):
    """If the first attempt fails because of the condition, the error is not retried, and the object
    is not read.
    """
    io = ScriptedIO([FAILED])
    error = fails(PreconditionFailedError, io, **dict([condition]))
    assert (error.code, error.status_code) == ("PreconditionFailed", 412)
    assert (error.retryable, error.possibly_accepted, error.attempts) == (False, False, 1)
    assert str(error).startswith("s3://bucket/key: ")


@each_condition
def test_conflict(condition):
    """A conflict with a concurrent request is retried; after the last attempt, it raises an error."""
    io = ScriptedIO([CONFLICT, STORED])
    assert put(io, **dict([condition])).etag == '"new"'
    io = ScriptedIO([CONFLICT] * 3)
    error = fails(PreconditionFailedError, io, **dict([condition]))
    assert (error.code, error.retryable, error.attempts) == ("ConditionalRequestConflict", True, 3)


def test_deleted():
    """If the object for `if_match` does not exist, put_object raises ObjectNotFoundError."""
    fails(ObjectNotFoundError, ScriptedIO([NO_SUCH_KEY]), if_match='"old"')


@each_condition
@pytest.mark.parametrize("first", [dropped(), INTERNAL], ids=["lost response", "status 500"])
class TestRetry:
    def test_our_own(self, condition, first):
        """If the condition of a retry fails because an earlier attempt has written the object, the
        call succeeds.
        """
        io = ScriptedIO([first, FAILED, OURS])
        stored = put(io, **dict([condition]))
        assert methods(io) == ["PUT", "PUT", "GET"]
        assert (stored.etag, stored.size, stored.body) == ('"ours"', 4, b"")

    @pytest.mark.parametrize("body", [b"them", b"", b"body and more"])
    def test_others(self, condition, first, body):
        """If the condition of a retry fails and the object has other content, the call raises an
        error.
        """
        io = ScriptedIO([first, FAILED, Response(200, {"etag": '"theirs"'}, body)])
        error = fails(PreconditionFailedError, io, **dict([condition]))
        assert (error.attempts, error.possibly_accepted) == (2, True)
        assert methods(io) == ["PUT", "PUT", "GET"]

    @pytest.mark.parametrize(
        ("answers", "kind"),
        [
            ([ACCESS_DENIED], AccessDeniedError),
            ([NO_SUCH_KEY], ObjectNotFoundError),
            ([dropped()] * 3, TransportError),
        ],
    )
    def test_unreadable(self, condition, first, answers, kind):
        """If the object cannot be read after a failed retry, the error states that it may be
        written.
        """
        error = fails(kind, ScriptedIO([first, FAILED, *answers]), **dict([condition]))
        assert error.possibly_accepted

    def test_success(self, condition, first):
        """If the retry succeeds, the object is not read."""
        io = ScriptedIO([first, STORED])
        put(io, **dict([condition]))
        assert methods(io) == ["PUT", "PUT"]


def test_certain_failure():
    """If the first attempt was certainly rejected and the retry's condition fails, the call raises
    an error without reading the object.
    """
    io = ScriptedIO([THROTTLED, FAILED])
    assert not fails(PreconditionFailedError, io, if_none_match="*").possibly_accepted
    assert methods(io) == ["PUT", "PUT"]


def test_outside_allowed_locations():
    """To check its own upload, the client may read an object outside `allowed_locations`."""
    io = ScriptedIO([dropped(), FAILED, OURS])
    client = core(io, allowed_locations=["s3://other"])
    assert run(client.put_object(LOCATION, b"body", if_none_match="*")).etag == '"ours"'


def test_large_object():
    """To check its own upload, the client reads at most as many bytes as it uploaded."""

    def respond(_io, sent):
        if sent.request.method == "PUT":
            return FAILED
        assert sent.limit.size == 4
        return ResponseTooLargeError(limit=4)

    io = ScriptedIO([dropped(), respond, respond])
    fails(PreconditionFailedError, io, if_none_match="*")


def test_emulator(plain_driver, emulator):
    """If two uploads have the same condition, the first one succeeds, and the second one fails."""
    client = plain_driver.client(**settings(emulator))
    first = client.put_object(LOCATION, b"1", if_none_match="*")
    with pytest.raises(PreconditionFailedError):
        client.put_object(LOCATION, b"2", if_none_match="*")
    second = client.put_object(LOCATION, b"2", if_match=first.etag)
    with pytest.raises(PreconditionFailedError):
        client.put_object(LOCATION, b"3", if_match=first.etag)
    assert client.get_object(LOCATION).body == b"2"
    assert client.put_object(LOCATION, b"3", if_match=second.etag).etag != second.etag


@pytest.mark.usefixtures("shortest_pauses")
@pytest.mark.parametrize("fault", [Faults.RESET_AFTER_TAKEN, Faults.RESET_IN_HEAD])
def test_lost_response(plain_driver, emulator, fault):
    """If the response to a conditional upload is lost, the upload succeeds, and a second one fails."""
    client = plain_driver.client(**settings(emulator))
    emulator.faults.once(fault, on="PutObject")
    stored = client.put_object(LOCATION, b"mine", if_none_match="*")
    assert stored == client.head_object(LOCATION).replace(content_type=None)
    with pytest.raises(PreconditionFailedError):
        client.put_object(LOCATION, b"mine", if_none_match="*")
    emulator.faults.once(fault, on="PutObject")
    again = client.put_object(LOCATION, b"again", if_match=stored.etag)
    assert (again.etag, client.get_object(LOCATION).body) == (
        client.head_object(LOCATION).etag,
        b"again",
    )
