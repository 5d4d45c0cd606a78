"""Test the limits on untrusted input, and that rejected requests leave nothing in memory."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from sigv4 import (
    ChunkDecoder,
    Credentials,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    verify,
)
from sigv4._limits import (
    LONGEST_ACCESS_KEY_ID,
    LONGEST_HEAD,
    LONGEST_TRAILERS,
    MOST_AUTHORIZATION_PARTS,
    MOST_HEADERS,
    MOST_QUERY_PARAMETERS,
    MOST_TRAILERS,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
URL = "https://h.example/"
SIGNER = Signer(SigV4("sagemaker", "us-east-1"))
LARGE = "RequestHeaderSectionTooLarge"
MALFORMED = "AuthorizationHeaderMalformed"


def never(_access_key_id):
    """Fail the test, because no key must be looked up in it."""
    raise AssertionError("a key was looked up")


def check(url=URL, headers=(), secrets=None, key=KEY):
    """Sign a request with *key*, and verify it; by default, *secrets* contains only that key."""
    headers = dict(headers)
    request = SignableRequest("GET", url, headers)
    arrived = SignableRequest("GET", url, {**headers, **SIGNER.sign(request, key, at=AT).headers})
    secrets = {key.access_key_id: key} if secrets is None else secrets
    return verify(arrived, secrets, at=AT, service="sagemaker", region="us-east-1")


def meta(count):
    """Return *count* headers with different names."""
    return {f"x-amz-meta-{at}": "b" for at in range(count)}


OWN = 4  # the headers host, x-amz-date and authorization, and a margin of one header
AT_THE_LIMIT = {
    "headers": (URL, meta(MOST_HEADERS - OWN)),
    "parameters": (URL + "?a" + "&a" * (MOST_QUERY_PARAMETERS - 1), {}),
    "path": (URL + "a" * (LONGEST_HEAD - 1000), {}),
    "a header": (URL, {"x-amz-meta-a": "b" * (LONGEST_HEAD - 1000)}),
}
TOO_LARGE = {
    "headers": (URL, meta(MOST_HEADERS)),
    "parameters": (URL + "?a" + "&a" * MOST_QUERY_PARAMETERS, {}),
    "empty parameters": (URL + "?" + "&" * MOST_QUERY_PARAMETERS, {}),
    "path": (URL + "a" * LONGEST_HEAD, {}),
    "a header": (URL, {"x-amz-meta-a": "b" * LONGEST_HEAD}),
    "a name": (URL, {"x-amz-meta-" + "a" * LONGEST_HEAD: "b"}),
}


@pytest.mark.parametrize(("url", "headers"), AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_requests_within_the_limits_are_accepted(url, headers):
    """A request that is close to a limit, but does not exceed it, is accepted."""
    assert check(url, headers).access_key_id == "AKIDEXAMPLE"


@pytest.mark.parametrize(("url", "headers"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_requests_over_the_limits_are_rejected(url, headers):
    """A request over a limit is rejected before the key lookup, even if its signature is valid."""
    with pytest.raises(SignatureError) as refusal:
        check(url, headers, never)
    assert refusal.value.code == LARGE


def altered(**parts):
    """Verify a request with *parts* in its Authorization header, and return the error."""
    claim = {
        "Credential": "AKIDEXAMPLE/20261122/us-east-1/sagemaker/aws4_request",
        "SignedHeaders": "host;x-amz-date",
        "Signature": "0" * 64,
        **parts,
    }
    text = "AWS4-HMAC-SHA256 " + ", ".join(f"{name}={value}" for name, value in claim.items())
    headers = {"authorization": text, "x-amz-date": "20261122T120000Z"}
    request = SignableRequest("GET", URL, headers)
    with pytest.raises(SignatureError) as refusal:
        verify(request, never, at=AT, service="sagemaker", region="us-east-1")
    return refusal.value


def test_many_parts_are_refused():
    """An Authorization header with too many parts is rejected before a key is looked up."""
    more = {f"a{at}": "" for at in range(MOST_AUTHORIZATION_PARTS)}
    assert altered(**more).code == MALFORMED


def test_a_long_access_key_id_is_refused():
    """An access key ID with an invalid length is not looked up, and the error does not quote it."""
    key = "A" * (LONGEST_ACCESS_KEY_ID + 1)
    scope = "20261122/us-east-1/sagemaker/aws4_request"
    refusal = altered(Credential=f"{key}/{scope}")
    assert refusal.code == MALFORMED
    assert key not in str(refusal)
    assert altered(Credential=f"/{scope}").code == MALFORMED


# The memory is measured in a separate process, because in this process, a fixture stores
# each error to search it for secrets.
STRANGERS = """
import gc
import sys
import tracemalloc
from datetime import UTC, datetime

from sigv4 import Credentials, SignableRequest, SignatureError, verify

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
FORM, KNOWN = sys.argv[1:]
DATE = "20261122T120000Z"


def strange(number):
    mark = f"{number:04d}".ljust(2000, "x")
    credential = f"{mark[:200]}/20261122/us-east-1/s3/aws4_request"
    algorithm, headers = "AWS4-HMAC-SHA256", {f"x-amz-meta-{mark}": mark, f"a-{mark}": mark}
    if FORM == "query":
        query = (
            f"X-Amz-Algorithm={algorithm}&X-Amz-Credential={credential}&X-Amz-Date={DATE}"
            f"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00&{mark}"
        )
        return SignableRequest("GET", f"https://h.example/?{query}", {f"a-{mark}": mark})
    if FORM == "sigv4a":
        algorithm = "AWS4-ECDSA-P256-SHA256"
        credential = credential.replace("us-east-1/", "")
        headers["x-amz-region-set"] = f"{mark[:240]}*"
    headers |= {
        "authorization": f"{algorithm} Credential={credential}, SignedHeaders=host, Signature=00",
        "x-amz-date": DATE,
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    return SignableRequest("GET", "https://h.example/", headers)


def refuse(numbers):
    secrets = (lambda _: KEY) if KNOWN == "known" else {}
    refused = 0
    for number in numbers:
        try:
            verify(strange(number), secrets, at=AT, service="s3", region="us-east-1")
        except SignatureError:
            refused += 1
    assert refused == len(numbers)
    gc.collect()


refuse(range(20))
tracemalloc.start()
refuse(range(20, 420))
print(tracemalloc.get_traced_memory()[0])
"""


@pytest.mark.parametrize("known", ["known", "unknown"])
@pytest.mark.parametrize("form", ["header", "sigv4a", "query"])
def test_nothing_of_a_refused_request_is_kept(form, known):
    """Rejecting 400 requests increases the memory in use by less than 100,000 bytes."""
    command = [sys.executable, "-c", STRANGERS, form, known]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(done.stdout) < 100_000


# Test limits on chunked bodies.

TRAILER_FORM = Payload.streaming(None, trailer=True)


def test_many_trailers_are_refused():
    """If a request announces too many trailers, its decoder cannot be created."""
    names = [f"a{at}" for at in range(MOST_TRAILERS)]
    assert ChunkDecoder(TRAILER_FORM, 0, trailers=names).trailers == {}
    with pytest.raises(SignatureError, match=f"at most {MOST_TRAILERS}"):
        ChunkDecoder(TRAILER_FORM, 0, trailers=[*names, "b"])


def test_trailers_are_limited_in_all():
    """The size limit applies to the sum of all trailers, even if they arrive in separate pieces."""
    half = b"x" * (LONGEST_TRAILERS // 2)
    decoder = ChunkDecoder(TRAILER_FORM, 0, trailers=["a", "b", "c"])
    decoder.feed(b"0\r\na:" + half + b"\r\n")
    with pytest.raises(SignatureError, match=f"longer than the limit of {LONGEST_TRAILERS} bytes"):
        decoder.feed(b"b:" + half + b"\r\n")
