"""Test presigned URLs: signed headers, and requests that cannot be presigned."""

from datetime import UTC, datetime

import pytest

from sigv4 import (
    Credentials,
    InvalidRequestError,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    sign_all_headers,
    verify,
)
from sigv4._canonical import NEVER_SIGNED, PRESIGNED, SIGNATURE_PARAMETERS
from tests.sigv4.oracles import Unsigned, awscrt_signs, botocore_presigns

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
URL = "https://bucket.example/a?x=1"
ALGORITHMS = {"SigV4": SigV4("s3", "us-east-1"), "SigV4A": SigV4A("s3", "us-east-1")}
algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
LIMITS = {"Content-Length": "11", "If-None-Match": "*", "Content-Type": "a/b", "Range": "bytes=0-1"}


def presigned(headers, algorithm=ALGORITHMS["SigV4"], **options):
    """Return a presigned URL for an upload with the given headers."""
    request = SignableRequest("PUT", URL, headers)
    return Signer(algorithm, **options).presign(request, KEY, at=AT, expires=60)


def check(url, headers):
    """Verify a presigned upload."""
    request = SignableRequest("PUT", url, headers, Payload.of(b"any body"))
    return verify(request, {"AKIDEXAMPLE": KEY}, at=AT, service="s3", region="us-east-1")


@algorithms
def test_each_header_is_signed(algorithm):
    """All headers are signed: if one of them is missing or changed, the request is rejected."""
    url = presigned(LIMITS, algorithm)
    assert check(url, LIMITS).signed_headers == (
        *("content-length", "content-type", "host", "if-none-match", "range"),
    )
    for name in LIMITS:
        for others in (
            {known: value for known, value in LIMITS.items() if known != name},
            {**LIMITS, name: "12"},
        ):
            with pytest.raises(SignatureError, match="SignatureDoesNotMatch"):
                check(url, others)


def test_they_are_signed_as_botocore_signs_them():
    """If a request has headers, the presigned URL has the same signature as botocore's."""
    headers = list(LIMITS.items())
    asked = ("s3", "us-east-1", "AKIDEXAMPLE", "very-secret", None, AT, "PUT", URL, headers, b"")
    expected = botocore_presigns(Unsigned(*asked), 60).signature
    assert presigned(LIMITS).endswith(f"&X-Amz-Signature={expected}")


@pytest.mark.parametrize("name", sorted(NEVER_SIGNED))
def test_a_header_that_is_never_signed_is_refused(name):
    """For a header that cannot be signed, `presign` raises an error that mentions the header."""
    with pytest.raises(InvalidRequestError, match=f"header {name} .*(: remove it|must be removed)"):
        presigned({name.title(): "secret value"})


@pytest.mark.parametrize("name", ["x-amz-date", "x-amz-security-token", "x-amz-region-set"])
@pytest.mark.parametrize(
    "selection", [{}, {"signed_headers": sign_all_headers}], ids=["default", "all"]
)
def test_a_header_that_the_query_says_is_refused(name, selection):
    """`presign` rejects a header whose value a presigned URL must contain in its query."""
    with pytest.raises(InvalidRequestError, match=f"header {name} must be removed") as refusal:
        presigned({name: "secret value"}, **selection)
    assert "secret" not in str(refusal.value)


def test_a_selection_of_the_callers_own():
    """With a custom selection, a presigned URL signs only ``host`` and the selected headers."""
    headers = {**LIMITS, "User-Agent": "a"}
    url = presigned(headers, signed_headers=sign_all_headers)
    assert "user-agent" not in check(url, headers).signed_headers
    url = presigned(headers, signed_headers={"user-agent"}.__contains__)
    assert check(url, headers).signed_headers == ("host", "user-agent")


SPELLED = {
    **{name: f"{name}=1" for name in sorted(SIGNATURE_PARAMETERS)},
    "escaped": "%58-Amz%2DDate=1",
    "without a value": "X-Amz-Credential",
    "after others": "a=b&X-Amz-Algorithm=1&c",
}


ALREADY = "url is already signed: its query has X-Amz-"


@algorithms
@pytest.mark.parametrize("query", SPELLED.values(), ids=SPELLED)
def test_a_url_with_parameters_of_a_signature_is_not_presigned(query, algorithm):
    """A URL whose query already contains a signature parameter cannot be presigned."""
    request = SignableRequest("GET", f"https://h.example/?{query}")
    with pytest.raises(InvalidRequestError, match=ALREADY):
        Signer(algorithm).presign(request, KEY, at=AT, expires=60)


@algorithms
@pytest.mark.parametrize("name", sorted(PRESIGNED))
def test_a_presigned_url_is_not_signed(name, algorithm):
    """A presigned URL cannot be signed in headers, because no service accepts two signatures."""
    request = SignableRequest("GET", f"https://h.example/?a=b&{name}=1")
    with pytest.raises(InvalidRequestError, match=ALREADY):
        Signer(algorithm).sign(request, KEY, at=AT)


def test_awscrt_refuses_them_too():
    """Like this package, awscrt refuses to sign a URL whose query contains a signature parameter."""
    url = "https://h.example/?X-Amz-Date=1"
    asked = ("s3", "us-east-1", "AKIDEXAMPLE", "very-secret", None, AT, "GET", url, [], b"")
    with pytest.raises(Exception, match="ILLEGAL_REQUEST_QUERY_PARAM"):
        awscrt_signs(Unsigned(*asked))


@pytest.mark.parametrize("query", ["x-amz-date=1", "a=X-Amz-Date", "X-Amz-Other=1", "X-Amz-Dat=1"])
def test_other_parameters_are_signed(query):
    """A URL can be presigned if its query contains text that only resembles a signature parameter."""
    url = f"https://h.example/?{query}"
    signer = Signer(SigV4("s3", "us-east-1"))
    presigned = signer.presign(SignableRequest("PUT", url), KEY, at=AT, expires=60)
    assert check(presigned, {}).access_key_id == "AKIDEXAMPLE"
