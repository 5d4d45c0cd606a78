"""Test which requests the emulator accepts, and with which errors it rejects the others."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import pytest

from sagemaker_runtime_client.emulator import Emulator
from sigv4 import AwsChunked, Credentials, Payload, SignableRequest, Signer, SigV4
from tests.emulator.wire import INPUT, INVOCATION, build_request, call, send, sign_request

BODY = b'{"question": 1}'
UNKNOWN_KEY = Credentials("AKIAUNKNOWN_KEY", "canary-secret")


def status_and_code(response):
    """Return the HTTP status and the error code of an error response from SageMaker or S3."""
    code = response.headers.get("x-amzn-errortype")
    return response.status, code or ET.fromstring(response.body).findtext("Code")


def test_request_is_accepted(emulator):
    """Requests to SageMaker and S3 with valid signatures are executed."""
    assert call(emulator, "POST", INVOCATION, (), BODY).status == 202
    assert call(emulator, "PUT", "/bucket/a%2Fb%20c", (), BODY).status == 200
    assert emulator.objects.get("s3://bucket/a/b c").body == BODY


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"question", b"quest10n"),
        (b"my-endpoint", b"my-endp0int"),
        (b"inference-id: mine", b"inference-id: yours"),
        (b"Signature=", b"Signature=0"),
    ],
    ids=["body", "path", "header", "signature"],
)
def test_tampering_with_an_invocation(emulator, old, new):
    """An invocation that was altered in transit is rejected and not queued."""
    request = sign_request(
        emulator, "POST", INVOCATION, {"x-amzn-sagemaker-inference-id": "mine"}, BODY
    )
    response = send(emulator, request.replace(old, new))
    assert status_and_code(response) == (403, "InvalidSignatureException")
    assert set(json.loads(response.body)) == {"message"}
    assert response.headers["x-amzn-requestid"]
    assert emulator.jobs == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"question", b"quest10n", (400, "XAmzContentSHA256Mismatch")),
        (b"/bucket/a%2Fb", b"/bucket/a/b", (403, "SignatureDoesNotMatch")),
        (b"x-amz-meta-a: 1", b"x-amz-meta-a: 2", (403, "SignatureDoesNotMatch")),
        (b"us-east-1/s3", b"eu-west-1/s3", (400, "AuthorizationHeaderMalformed")),
        (b"Signature=", b"Nonsense=", (400, "AuthorizationHeaderMalformed")),
        (b"PUT ", b"GET ", (403, "SignatureDoesNotMatch")),
    ],
    ids=["body", "raw path", "header", "region", "no signature", "method"],
)
def test_tampering_with_an_object(emulator, old, new, expected):
    """A request to S3 that was altered in transit is rejected with S3's own error code."""
    request = sign_request(emulator, "PUT", "/bucket/a%2Fb", {"x-amz-meta-a": "1"}, BODY)
    response = send(emulator, request.replace(old, new))
    assert status_and_code(response) == expected
    document = ET.fromstring(response.body)
    assert document.findtext("RequestId") == response.headers["x-amz-request-id"]
    assert document.findtext("HostId") == response.headers["x-amz-id-2"]
    assert emulator.objects.list() == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"credentials": UNKNOWN_KEY}, (403, "UnrecognizedClientException")),
        ({"region": "eu-west-1"}, (403, "InvalidSignatureException")),
        ({"service": "s3"}, (403, "InvalidSignatureException")),
    ],
    ids=["key", "region", "service"],
)
def test_rejected_invocation(emulator, options, expected):
    """An invocation with an unknown key or a wrong scope is rejected with SageMaker's error codes."""
    assert status_and_code(call(emulator, "POST", INVOCATION, INPUT, **options)) == expected


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", INVOCATION, (403, "MissingAuthenticationTokenException")),
        ("GET", "/bucket/key", (403, "AccessDenied")),
    ],
    ids=["sagemaker", "s3"],
)
def test_unsigned(emulator, method, target, expected):
    """A request without a signature is rejected."""
    assert status_and_code(send(emulator, build_request(method, target, {"host": "h"}))) == expected


def test_incomplete_signature(emulator):
    """An invocation with an incomplete signature is rejected with SageMaker's own error code."""
    request = build_request(
        "POST", INVOCATION, {"host": "h", "authorization": "AWS4-HMAC-SHA256 x"}
    )
    assert status_and_code(send(emulator, request)) == (403, "IncompleteSignatureException")


def test_invalid_percent_encoding(emulator):
    """A target with invalid percent-encoding is rejected, because it cannot have a signature."""
    request = build_request("GET", "/bucket/%zz", {"host": "h"})
    assert status_and_code(send(emulator, request)) == (400, "InvalidURI")


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", INVOCATION, (403, "ExpiredTokenException")),
        ("PUT", "/bucket/key", (400, "ExpiredToken")),
    ],
    ids=["sagemaker", "s3"],
)
def test_expired_credentials(method, target, expected):
    """A request that is signed with expired credentials is rejected."""
    ended = datetime.now(UTC) - timedelta(seconds=1)
    with Emulator(credentials=Credentials("ASIA", "canary-secret", "token", ended)) as emulator:
        alive = Credentials("ASIA", "canary-secret", "token")
        response = call(emulator, method, target, credentials=alive)
    assert status_and_code(response) == expected


@pytest.mark.parametrize(
    ("skew", "message"),
    [(400, "Signature expired: "), (-400, "Signature not yet current: ")],
    ids=["ahead", "behind"],
)
def test_clock_skew_at_the_runtime(emulator, skew, message):
    """SageMaker rejects a clock skew of 400 seconds; the Date header shows the server's time."""
    emulator.faults.clock_skew = skew
    response = call(emulator, "POST", INVOCATION, INPUT)
    server = parsedate_to_datetime(response.headers["date"])
    assert status_and_code(response) == (403, "InvalidSignatureException")
    assert json.loads(response.body)["message"].startswith(message)
    assert abs((server - datetime.now(UTC)).total_seconds() - skew) < 5
    at = datetime.now(UTC) + timedelta(seconds=skew)
    assert call(emulator, "POST", INVOCATION, INPUT, at=at).status == 202


def test_clock_skew_at_s3(emulator):
    """S3 allows 15 minutes of clock skew; the error for more skew contains the server's time."""
    emulator.faults.clock_skew = 800
    assert call(emulator, "PUT", "/bucket/key").status == 200
    emulator.faults.clock_skew = 1000
    response = call(emulator, "PUT", "/bucket/key")
    assert status_and_code(response) == (403, "RequestTimeTooSkewed")
    assert ET.fromstring(response.body).findtext("ServerTime").endswith("Z")


def test_user_supplied_clock():
    """The emulator uses the time that the user-supplied function *clock* returns."""
    then = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with Emulator(clock=lambda: then) as emulator:
        response = call(emulator, "PUT", "/bucket/key", at=then)
    assert (response.status, response.headers["date"]) == (200, "Fri, 02 Jan 2026 03:04:05 GMT")
    assert emulator.objects.get("s3://bucket/key").last_modified == then


@pytest.mark.parametrize("algorithm", [None, SigV4("s3", "us-east-1")], ids=["unsigned", "signed"])
def test_body_in_chunks(emulator, algorithm):
    """An aws-chunked body is decoded, and then stored together with its checksum."""
    form = AwsChunked(algorithm, 10_000, checksum="CRC32", chunk_size=8192)
    headers = {**form.headers, "content-encoding": "aws-chunked,gzip"}
    response = call(
        emulator,
        "PUT",
        "/bucket/key",
        headers,
        payload=form.payload,
        encode=lambda seed: b"".join(form.encode(b"x" * 10_000, seed if algorithm else None)),
    )
    stored = emulator.objects.get("s3://bucket/key")
    assert response.status == 200
    assert stored.body == b"x" * 10_000
    assert stored.headers == {"content-encoding": "gzip"}
    assert list(stored.checksums) == ["x-amz-checksum-crc32"]


def test_truncated_body_in_chunks(emulator):
    """A truncated aws-chunked body is rejected."""
    form = AwsChunked(None, 3, checksum="CRC32")
    response = call(
        emulator,
        "PUT",
        "/bucket/key",
        {**form.headers, "content-length": "6"},
        payload=form.payload,
        encode=lambda _: b"3\r\nabc",
    )
    assert status_and_code(response) == (400, "IncompleteBody")


def test_body_of_events(emulator):
    """S3 rejects a request whose payload hash states that the body is an event stream."""
    length = {"x-amz-decoded-content-length": "0"}
    response = call(emulator, "PUT", "/bucket/key", length, payload=Payload.EVENTS)
    assert status_and_code(response) == (400, "InvalidArgument")


def test_presigned_for_another_region(emulator):
    """A presigned URL is accepted if it is signed for its bucket's region, even if the emulator is
    in another one.
    """
    emulator.faults.bucket_regions["bucket"] = "eu-west-1"
    emulator.objects.put("s3://bucket/key", b"found")
    signer = Signer(SigV4("s3", "eu-west-1"), s3=True)
    url = f"{emulator.url}/bucket/key"
    presigned = signer.presign(
        SignableRequest("GET", url),
        emulator.credentials,
        at=datetime.now(UTC),
        expires=60,
    )
    target = presigned.removeprefix(emulator.url)
    host = {"host": emulator.url.removeprefix("http://")}
    assert send(emulator, build_request("GET", target, host)).body == b"found"


def test_unsigned_for_another_region(emulator):
    """An unsigned request for a bucket in another region is rejected with AccessDenied."""
    emulator.faults.bucket_regions["bucket"] = "eu-west-1"
    assert status_and_code(send(emulator, build_request("GET", "/bucket/key", {"host": "h"}))) == (
        403,
        "AccessDenied",
    )


@pytest.mark.parametrize(
    "scope", ["", "/20261127/a b/s3/aws4_request", "/20261127//s3/aws4_request"]
)
def test_invalid_region(emulator, scope):
    """A request signed for an invalid region is rejected, even for a bucket in another region."""
    emulator.faults.bucket_regions["bucket"] = "eu-west-1"
    authorization = f"AWS4-HMAC-SHA256 Credential=A{scope}, SignedHeaders=host, Signature=b"
    headers = {"host": "h", "x-amz-date": "20261127T000000Z", "authorization": authorization}
    assert status_and_code(send(emulator, build_request("GET", "/bucket/key", headers))) == (
        400,
        "AuthorizationHeaderMalformed",
    )
