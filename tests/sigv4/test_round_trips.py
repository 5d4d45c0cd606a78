"""Send signed requests over real sockets to the emulator and to an independent server, ministack."""

import re
from datetime import UTC, datetime

import pytest
from attrs import frozen

from sagemaker_runtime_client.emulator import Emulator
from sigv4 import (
    AwsChunked,
    Credentials,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    SigV4A,
)
from sigv4.httpx_auth import SigV4Auth
from tests.ministack import element_text
from tests.sigv4.senders import AWAITING, BLOCKING, make_fixture

REGION = "us-east-1"
BODY = bytes(range(256)) * 300
PIECES = [BODY[:1], BODY[1:70_000], b"", BODY[70_000:]]
KEY = "/bucket/a b*c/%C3%BC%2F1"  # space and asterisk are not encoded, but ü and slash are
AS_SENT = "/bucket/a%20b%2Ac/%C3%BC/1"  # S3 treats an encoded slash like an unencoded one

send = make_fixture([*BLOCKING, *AWAITING])
# Tests of the servers' behavior use only one blocking and one async way of sending.
send_plainly = make_fixture([BLOCKING[0], AWAITING[0]])
call = BLOCKING[0]


@frozen
class Place:
    """A server that verifies signatures.

    Attributes:
        url: The URL of the server.
        key: The credentials with which the tests sign requests.
    """

    url: str
    key: Credentials


@pytest.fixture(scope="module")
def emulator():
    """A running emulator of SageMaker and S3."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def place(request):
    """The server that the parameter selects, with a bucket that has been created on it."""
    server = request.getfixturevalue(request.param)
    place = Place(server.url, server.user if request.param == "ministack" else server.credentials)
    call("PUT", f"{place.url}/bucket", auth=make_auth("SigV4", "s3", place.key)).raise_for_status()
    return place


ALGORITHMS = {
    "SigV4": lambda service: SigV4(service, REGION),
    "SigV4A": lambda service: SigV4A(service, "us-*"),
}
each_place = pytest.mark.parametrize("place", ["emulator", "ministack"], indirect=True)
each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


def make_auth(algorithm, service, key, **options):
    """Return a `SigV4Auth` for a service."""
    return SigV4Auth(Signer(ALGORITHMS[algorithm](service)), key, **options)


def outcome(response):
    """Return the status and the error code of a response."""
    code = re.search(r"<Code>(.*?)</Code>", response.text) if response.is_error else None
    header = response.headers.get("x-amzn-errortype")
    return response.status_code, code[1] if code else header


def stored(place, url):
    """Return the object that a server stores at *url*, or None."""
    response = call("GET", url, auth=make_auth("SigV4", "s3", place.key))
    assert outcome(response) in {(200, None), (404, "NoSuchKey")}
    return response.content if response.is_success else None


# Test requests for objects, which are signed by S3's rules.


@each_place
@each_algorithm
def test_object_there_and_back(place, algorithm, send):
    """An object can be stored and read although its key contains characters that must be encoded."""
    url, auth = place.url + KEY, make_auth(algorithm, "s3", place.key)
    assert outcome(send("PUT", url, content=BODY, auth=auth)) == (200, None)
    response = send("GET", url, params={"x-id": "Get Object*/"}, auth=auth)
    assert (response.status_code, response.content) == (200, BODY)


def hashed(algorithm, key):
    """Return the options for sending a streamed body that the client reads and hashes first."""
    headers = {"content-length": str(len(BODY))}
    return {"pieces": PIECES, "auth": make_auth(algorithm, "s3", key), "headers": headers}


def hashed_before(algorithm, key):
    """Return the options for sending a streamed body whose hash is already known."""
    headers = {"x-amz-content-sha256": Payload.of(BODY).hash, "content-length": str(len(BODY))}
    return {**hashed(algorithm, key), "headers": headers}


def unsigned(algorithm, key):
    """Return the options for sending a streamed body that is not signed."""
    auth = make_auth(algorithm, "s3", key, unsigned_payload=True)
    return {"pieces": PIECES, "auth": auth, "headers": {"content-length": str(len(BODY))}}


def unsigned_chunks(algorithm, key):
    """Return the options for sending unsigned chunks with a checksum as the trailer."""
    body = AwsChunked(None, len(BODY), checksum="SHA256")
    return {**hashed(algorithm, key), "pieces": body.encode(PIECES), "headers": body.headers}


STREAMS = [hashed, hashed_before, unsigned, unsigned_chunks]


@each_place
@each_algorithm
@pytest.mark.parametrize("stream", STREAMS, ids=[stream.__name__ for stream in STREAMS])
def test_streamed_object(place, algorithm, send, stream):
    """A streamed body arrives completely, whether hashed, unsigned or in unsigned chunks."""
    url = f"{place.url}/bucket/{algorithm}-{stream.__name__}"
    assert outcome(send("PUT", url, **stream(algorithm, place.key))) == (200, None)
    assert stored(place, url) == BODY


@each_place
@each_algorithm
def test_wrong_secret(place, algorithm, send_plainly):
    """A signature made with a wrong secret key is rejected, and nothing is stored."""
    url, wrong = f"{place.url}/bucket/wrong", place.key.replace(secret_access_key="wrong")
    response = send_plainly("PUT", url, content=BODY, auth=make_auth(algorithm, "s3", wrong))
    assert outcome(response) == (403, "SignatureDoesNotMatch")
    assert stored(place, url) is None


@each_place
@each_algorithm
def test_stranger(place, algorithm, send_plainly):
    """A signature made with an unknown access key is rejected."""
    auth = make_auth(algorithm, "s3", Credentials("AKIASTRANGER", "secret"))
    response = send_plainly("PUT", place.url + KEY, content=BODY, auth=auth)
    assert outcome(response) == (403, "InvalidAccessKeyId")


def _raw_path(new):
    """Return a function that changes the path and the query of a signed request."""

    def change(request):
        request.url = request.url.copy_with(raw_path=new.encode())

    return change


def _header(name, value):
    """Return a function that changes a header of a signed request."""

    def change(request):
        assert name in request.headers
        request.headers[name] = value

    return change


def _method(request):
    request.method = "GET"


CHANGES = {
    "method": _method,
    "key": _raw_path(f"{AS_SENT}1?x-id=Put"),
    "%2F for a slash": _raw_path(f"{AS_SENT.replace('/1', '%2F1')}?x-id=Put"),
    "value in the query": _raw_path(f"{AS_SENT}?x-id=Get"),
    "more in the query": _raw_path(f"{AS_SENT}?x-id=Put&acl="),
    "no query": _raw_path(AS_SENT),
    "header": _header("x-amz-meta-a", "2"),
    "content type": _header("content-type", "text/html"),
    "hash of the body": _header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
}


@each_place
@each_algorithm
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_tampering(place, algorithm, send_plainly, change):
    """A request that is changed after signing is rejected."""
    headers = {"x-amz-meta-a": "1", "content-type": "text/plain"}
    response = send_plainly(
        "PUT",
        f"{place.url}{KEY}?x-id=Put",
        content=BODY,
        headers=headers,
        auth=make_auth(algorithm, "s3", place.key),
        change=change,
    )
    assert outcome(response) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("place", ["emulator"], indirect=True)  # ministack does not hash bodies
@each_algorithm
def test_tampering_with_the_body(place, algorithm, send_plainly):
    """A request whose body does not have the signed hash is rejected."""

    def change(request):
        request.stream = type(request.stream)(BODY[::-1])

    auth = make_auth(algorithm, "s3", place.key)
    response = send_plainly("PUT", place.url + KEY, content=BODY, auth=auth, change=change)
    assert outcome(response) == (400, "XAmzContentSHA256Mismatch")


@each_place
@each_algorithm
def test_presigned_url(place, algorithm, send):
    """A presigned URL is accepted, unless it was changed or made with a wrong secret key."""
    url = f"{place.url}/bucket/presigned%20{algorithm}"

    def presigned(method, key):
        signer, request = Signer(ALGORITHMS[algorithm]("s3")), SignableRequest(method, url)
        return signer.presign(request, key, at=datetime.now(UTC), expires=60)

    assert outcome(send("PUT", presigned("PUT", place.key), content=BODY)) == (200, None)
    to_get = presigned("GET", place.key)
    response = send("GET", to_get)
    assert (response.status_code, response.content) == (200, BODY)
    wrong = presigned("GET", place.key.replace(secret_access_key="wrong"))
    for refused in (wrong, to_get.replace("=60&", "=61&"), to_get.replace("%20", "%20a", 1)):
        assert outcome(call("GET", refused)) == (403, "SignatureDoesNotMatch")


# Test bodies in signed chunks.  ministack does not support chunks that are signed with SigV4A.

CHUNK = 8192
signed_chunks = pytest.mark.parametrize(
    ("place", "algorithm"),
    [("emulator", "SigV4"), ("emulator", "SigV4A"), ("ministack", "SigV4")],
    indirect=["place"],
)


def put_in_chunks(send, url, algorithm, key, *, checksum=None, change=iter):
    """Send a body in signed chunks, which the function *change* may change in transit."""
    signer = Signer(ALGORITHMS[algorithm]("s3"))
    body = AwsChunked(signer.algorithm, len(BODY), chunk_size=CHUNK, checksum=checksum)
    request = SignableRequest("PUT", url, body.headers, body.payload)
    signature = signer.sign(request, key, at=datetime.now(UTC))
    pieces = change(body.encode(PIECES, signer.seed(signature, key)))
    return send("PUT", url, headers=body.headers | signature.headers, pieces=pieces)


@signed_chunks
@pytest.mark.parametrize("checksum", [None, "CRC32", "SHA1", "SHA256"])
def test_signed_chunks(place, algorithm, send, checksum):
    """A body in signed chunks, with or without a checksum, arrives completely."""
    url = f"{place.url}/bucket/{algorithm}-{checksum}"
    assert outcome(put_in_chunks(send, url, algorithm, place.key, checksum=checksum)) == (200, None)
    assert stored(place, url) == BODY


def _data(sent):
    sent[1] = sent[1][:-3] + b"x\r\n"


def _order(sent):
    sent[1], sent[2] = sent[2], sent[1]


def _reversed_after(mark):
    """Return a function that reverses the value after the first *mark* in a list of pieces."""

    def change(sent):
        at = next(at for at, piece in enumerate(sent) if mark in piece)
        before, _, after = sent[at].partition(mark)
        sent[at] = before + mark + re.sub(rb"^[0-9A-Za-z+/]+", lambda m: m[0][::-1], after)

    return change


CHUNK_CHANGES = {"data": _data, "order": _order, "signature": _reversed_after(b"-signature=")}
TRAILER_CHANGES = {
    "checksum": _reversed_after(b"x-amz-checksum-sha256:"),
    "signature": _reversed_after(b"x-amz-trailer-signature:"),
}


def put_changed(place, algorithm, send, change, checksum):
    """Send a body in signed chunks that *change* changes; return the outcome and the stored object."""

    def changed(pieces):
        sent = list(pieces)
        change(sent)
        return sent

    url, options = f"{place.url}/bucket/changed", {"checksum": checksum, "change": changed}
    response = put_in_chunks(send, url, algorithm, place.key, **options)
    return outcome(response), stored(place, url)


@signed_chunks
@pytest.mark.parametrize("change", CHUNK_CHANGES.values(), ids=CHUNK_CHANGES)
def test_tampering_with_chunks(place, algorithm, send_plainly, change):
    """If a chunk is changed in transit, or two are exchanged, the body is rejected and not stored."""
    actual = put_changed(place, algorithm, send_plainly, change, None)
    assert actual == ((403, "SignatureDoesNotMatch"), None)


# ministack does not verify the signature of trailers.
@pytest.mark.parametrize("place", ["emulator"], indirect=True)
@each_algorithm
@pytest.mark.parametrize("change", TRAILER_CHANGES.values(), ids=TRAILER_CHANGES)
def test_tampering_with_trailers(place, algorithm, send_plainly, change):
    """A trailer that is changed in transit is rejected, and nothing is stored."""
    actual = put_changed(place, algorithm, send_plainly, change, "SHA256")
    assert actual == ((403, "SignatureDoesNotMatch"), None)


# Test temporary keys, and services that do not use S3's rules.


def make_form(action, version, **arguments):
    """Return the options for a request in the query protocol."""
    form = {"Action": action, "Version": version, **arguments}
    return {"data": form, "headers": {"accept": "application/xml"}}


def sts(action, **arguments):
    """Return the options for a request to STS."""
    return make_form(action, "2011-06-15", **arguments)


def sqs(action, **arguments):
    """Return the options for a request to SQS."""
    return make_form(action, "2012-11-05", **arguments)


@each_algorithm
def test_caller_identity(ministack, algorithm, send):
    """STS returns the user who signed the request, and rejects the signature of a wrong secret key."""
    auth = make_auth(algorithm, "sts", ministack.user)
    response = send("POST", ministack.url, **sts("GetCallerIdentity"), auth=auth)
    assert element_text(response.text, "Arn").endswith(":user/user")
    wrong = make_auth(algorithm, "sts", ministack.user.replace(secret_access_key="wrong"))
    response = send("POST", ministack.url, **sts("GetCallerIdentity"), auth=wrong)
    assert outcome(response) == (403, "SignatureDoesNotMatch")


@each_algorithm
def test_message_there_and_back(ministack, algorithm, send):
    """A message can be sent and received; a message whose request changes in transit is rejected."""
    auth = make_auth(algorithm, "sqs", ministack.user)
    response = send("POST", ministack.url, **sqs("CreateQueue", QueueName="queue"), auth=auth)
    queue = element_text(response.text, "QueueUrl")

    def elsewhere(request):
        request.url = request.url.copy_with(path="/")

    message = sqs("SendMessage", QueueUrl=queue, MessageBody="a + b = ü")
    refused = send("POST", queue, **message, auth=auth, change=elsewhere)
    assert outcome(refused) == (403, "SignatureDoesNotMatch")
    send("POST", queue, **message, auth=auth).raise_for_status()
    receive = sqs("ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages="10")
    received = send("POST", queue, **receive, auth=auth).raise_for_status().text
    assert re.findall("<Body>(.*?)</Body>", received) == ["a + b = ü"]
    receipt = element_text(received, "ReceiptHandle")
    delete = sqs("DeleteMessage", QueueUrl=queue, ReceiptHandle=receipt)
    send("POST", queue, **delete, auth=auth).raise_for_status()


@pytest.fixture(scope="module", params=["AssumeRole", "GetSessionToken"])
def temporary(request, ministack):
    """The ministack server, with a temporary key that its STS has issued."""
    role = {"RoleArn": ministack.role, "RoleSessionName": "session"}
    options = sts(request.param, **(role if request.param == "AssumeRole" else {}))
    auth = make_auth("SigV4", "sts", ministack.user)
    said = call("POST", ministack.url, **options, auth=auth).raise_for_status().text
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return Place(ministack.url, Credentials(*[element_text(said, name) for name in names]))


@each_algorithm
def test_temporary_key(temporary, algorithm, send):
    """A temporary key can sign requests to S3 and to other services."""
    auth = make_auth(algorithm, "s3", temporary.key)
    assert outcome(send("PUT", f"{temporary.url}/temporary", auth=auth)) == (200, None)
    auth = make_auth(algorithm, "sts", temporary.key)
    response = send("POST", temporary.url, **sts("GetCallerIdentity"), auth=auth)
    assert outcome(response) == (200, None)


PARTS = {
    "no token": ({"session_token": None}, (403, "InvalidAccessKeyId")),
    "another token": ({"session_token": "another"}, (400, "InvalidToken")),
    "wrong secret": ({"secret_access_key": "wrong"}, (403, "SignatureDoesNotMatch")),
}


@each_algorithm
@pytest.mark.parametrize(("change", "expected"), PARTS.values(), ids=PARTS)
def test_part_of_a_temporary_key(temporary, algorithm, send_plainly, change, expected):
    """A temporary key is rejected without a token, with another token, or with a wrong secret key."""
    auth = make_auth(algorithm, "s3", temporary.key.replace(**change))
    assert outcome(send_plainly("PUT", f"{temporary.url}/temporary", auth=auth)) == expected


INVOCATION = "/endpoints/my-endpoint/async-invocations"
LOCATION = {"x-amzn-sagemaker-inputlocation": "s3://bucket/in"}


@each_algorithm
def test_invocation(emulator, algorithm, send):
    """The emulator accepts an invocation, but not if its input location is changed in transit."""
    auth = make_auth(algorithm, "sagemaker", emulator.credentials)
    url = emulator.url + INVOCATION
    assert outcome(send("POST", url, headers=LOCATION, auth=auth)) == (202, None)
    change = _header("x-amzn-sagemaker-inputlocation", "s3://bucket/other")
    response = send("POST", url, headers=LOCATION, auth=auth, change=change)
    assert outcome(response) == (403, "InvalidSignatureException")
