"""Test `Signer`: the headers that it adds, and its errors."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from sigv4 import (
    AwsChunked,
    Credentials,
    ExpiredCredentialsError,
    InvalidRequestError,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    sign_all_headers,
    verify,
)
from tests.sigv4.oracles import Unsigned, botocore_presigns

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken", AT + timedelta(hours=1))
OTHERS = Signer(SigV4("sagemaker", "us-east-1"))
S3 = Signer(SigV4("s3", "us-east-1"))
URL = "https://h.example/a"
HASH = "x-amz-content-sha256"


@pytest.mark.parametrize(
    ("signer", "credentials", "names"),
    [
        (OTHERS, KEY, ["authorization", "x-amz-date"]),
        (OTHERS, TEMPORARY, ["authorization", "x-amz-date", "x-amz-security-token"]),
        (S3, KEY, ["authorization", HASH, "x-amz-date"]),
        (S3, TEMPORARY, ["authorization", HASH, "x-amz-date", "x-amz-security-token"]),
    ],
    ids=["others", "others with token", "S3", "S3 with token"],
)
def test_added_headers(signer, credentials, names):
    """Signing adds exactly the headers that the service and the credentials require."""
    signature = signer.sign(SignableRequest("GET", URL), credentials, at=AT)
    assert sorted(signature.headers) == names


@pytest.mark.parametrize("service", ["s3", "s3express", "s3-object-lambda", "s3-outposts"])
def test_s3_rules(service):
    """S3's signing rules are the default for each of S3's signing names."""
    signer = Signer(SigV4(service, "us-east-1"))
    expected = (True, False, False, True)
    assert (
        signer.s3,
        signer.normalize_path,
        signer.double_encode,
        signer.content_sha256,
    ) == expected


def test_rules_of_all_others():
    """For a service other than S3, the path is normalized and encoded twice, and no hash is sent."""
    expected = (False, True, True, False)
    assert (
        OTHERS.s3,
        OTHERS.normalize_path,
        OTHERS.double_encode,
        OTHERS.content_sha256,
    ) == expected


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/b%2520"),
        ({"normalize_path": False}, "/a/..//b%2520"),
        ({"double_encode": False}, "/b%20"),
        ({"s3": True}, "/a/..//b%20"),
    ],
    ids=["default", "not normalised", "encoded once", "S3"],
)
def test_path_rules(options, path):
    """The rules *normalize_path* and *double_encode* can be set separately, or together by *s3*."""
    signer = Signer(SigV4("sagemaker", "us-east-1"), **options)
    signature = signer.sign(SignableRequest("GET", "https://h.example/a/..//b%20"), KEY, at=AT)
    assert signature.canonical_request.split("\n")[1] == path


def test_request_stays_as_it_was():
    """Signing does not change the request."""
    request = SignableRequest("PUT", URL, {"A": "1"}, Payload.of(b"x"))
    before = (request.method, request.url, request.headers, request.payload)
    S3.sign(request, TEMPORARY, at=AT)
    assert (request.method, request.url, request.headers, request.payload) == before


def test_signing_again_replaces_the_signature():
    """Signing a request again for a retry replaces its old signature."""
    added = S3.sign(SignableRequest("GET", URL), TEMPORARY, at=AT - timedelta(days=1)).headers
    expected = S3.sign(SignableRequest("GET", URL), KEY, at=AT).headers
    assert S3.sign(SignableRequest("GET", URL, added), KEY, at=AT).headers == expected


@pytest.mark.parametrize("signer", [OTHERS, S3], ids=["others", "S3"])
@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", "a" * 64])
def test_content_sha256_of_the_request(signer, value):
    """If the request has an x-amz-content-sha256 header, its value is used as the payload hash."""
    request = SignableRequest("PUT", URL, {HASH: f" {value} "}, Payload.of(b"x"))
    signature = signer.sign(request, KEY, at=AT)
    assert signature.canonical_request.rpartition("\n")[2] == value
    assert HASH in signature.signed_headers


@pytest.mark.parametrize("content_sha256", [False, True])
@pytest.mark.parametrize("service", ["aoss", "s3"])
def test_presigned_url_has_no_content_sha256(service, content_sha256):
    """A presigned URL contains no payload hash, neither for S3 nor for other services."""
    signer = Signer(SigV4(service, "us-east-1"), content_sha256=content_sha256)
    url = signer.presign(SignableRequest("GET", URL), KEY, at=AT, expires=60)
    request = Unsigned(
        service, "us-east-1", "AKIDEXAMPLE", "very-secret", None, AT, "GET", URL, [], b""
    )
    assert url.endswith("=" + botocore_presigns(request, 60).signature)
    arrived = SignableRequest("GET", url)
    verify(arrived, {KEY.access_key_id: KEY}, at=AT, service=service, region="us-east-1")


def test_caller_selects_headers():
    """A function can select the headers to sign."""
    signer = Signer(SigV4("sagemaker", "us-east-1"), signed_headers={"range"}.__contains__)
    headers = {"Range": "bytes=0-1", "Content-Type": "text/plain"}
    signature = signer.sign(SignableRequest("GET", URL, headers), KEY, at=AT)
    assert signature.signed_headers == ("host", "range", "x-amz-date")


def test_signer_of_a_selection_is_a_value():
    """A signer with a custom header selection keeps it when it is pickled or changed by `replace`."""
    signer = Signer(SigV4("sagemaker", "us-east-1"), signed_headers=str.isalpha)
    for again in (signer.replace(s3=False), pickle.loads(pickle.dumps(signer))):
        assert again == signer
        assert again.signed_headers is str.isalpha


def test_token_added_unsigned():
    """If *sign_session_token* is False, as AWS IoT requires, the token is sent but not signed."""
    signer = Signer(SigV4("iotdevicegateway", "us-east-1"), sign_session_token=False)
    signature = signer.sign(SignableRequest("GET", URL), TEMPORARY, at=AT)
    assert signature.headers["x-amz-security-token"] == "to-ken"
    assert signature.signed_headers == ("host", "x-amz-date")


def test_token_added_to_a_url_unsigned():
    """A session token that is not signed is added to a presigned URL after the signed parameters."""
    signer = Signer(SigV4("iotdevicegateway", "us-east-1"), sign_session_token=False)
    plain = signer.presign(SignableRequest("GET", URL), KEY, at=AT, expires=60)
    url = signer.presign(SignableRequest("GET", URL), TEMPORARY, at=AT, expires=60)
    names = [pair.partition("=")[0] for pair in url.partition("?")[2].split("&")]
    assert names[-2:] == ["X-Amz-Security-Token", "X-Amz-Signature"]
    signature = plain.replace("AKIDEXAMPLE", "ASIAEXAMPLE").partition("&X-Amz-Signature")[0]
    assert url.startswith(f"{signature}&")


@pytest.mark.parametrize("after", [0, 1], ids=["at their end", "after it"])
def test_expired_credentials(after):
    """The error for expired credentials contains the expiration time."""
    at = TEMPORARY.expiration + timedelta(seconds=after)
    request = SignableRequest("GET", URL)
    with pytest.raises(ExpiredCredentialsError, match="2026-11-22 13:00:00"):
        OTHERS.sign(request, TEMPORARY, at=at)
    with pytest.raises(ExpiredCredentialsError, match="2026-11-22 13:00:00"):
        OTHERS.presign(request, TEMPORARY, at=at, expires=1)


@pytest.mark.parametrize("credentials", [KEY, TEMPORARY], ids=["lasting", "temporary"])
def test_naive_instant(credentials):
    """A time without a time zone is rejected for both permanent and temporary credentials."""
    request, at = SignableRequest("GET", URL), AT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="at must have a time zone"):
        OTHERS.sign(request, credentials, at=at)
    with pytest.raises(ValueError, match="at must have a time zone"):
        OTHERS.presign(request, credentials, at=at, expires=1)


@pytest.mark.parametrize("expires", [-1, 0, 604_801, True, 1.5, "60"])
def test_refused_expiry(expires):
    """The validity of a presigned URL must be an integer from one second to a week."""
    with pytest.raises(
        InvalidRequestError, match="expires must be an integer, from 1 to 604800 seconds"
    ):
        S3.presign(SignableRequest("GET", URL), KEY, at=AT, expires=expires)


def test_presigning_a_presigned_url():
    """A presigned URL cannot be presigned again."""
    url = S3.presign(SignableRequest("GET", URL), KEY, at=AT, expires=60)
    with pytest.raises(InvalidRequestError, match="url is already signed"):
        S3.presign(SignableRequest("GET", url), KEY, at=AT, expires=60)


def test_repr_of_a_signature_holds_no_secret():
    """The repr of a signature contains the names of the signed headers, but no secrets."""
    signature = S3.sign(SignableRequest("GET", URL), TEMPORARY, at=AT)
    names = ("host", HASH, "x-amz-date", "x-amz-security-token")
    assert repr(signature) == f"Signature(signed_headers={names!r})"


@pytest.mark.parametrize("selected", [None, sign_all_headers])
def test_signer_pickles(selected):
    """An unpickled signer signs like the original, and the pickle contains no secret."""
    options = {} if selected is None else {"signed_headers": selected}
    signer = Signer(SigV4("s3", "us-east-1"), **options)
    expected = signer.sign(SignableRequest("GET", URL), KEY, at=AT)
    pickled = pickle.dumps(signer)
    assert b"very-secret" not in pickled
    assert (
        pickle.loads(pickled).sign(SignableRequest("GET", URL), KEY, at=AT).headers
        == expected.headers
    )


class SigningOnly:
    """An algorithm that can sign requests, but cannot verify signatures or sign streams."""

    name, service, region_set = "AWS4-X509-RSA-SHA256", "rolesanywhere", None

    def scope(self, instant):
        """Return the credential scope."""
        return f"{instant[:8]}/us-east-1/{self.service}/aws4_request"

    def sign_string(self, text, credentials, instant):
        """Return a constant instead of a signature."""
        return "5eed"


def test_an_algorithm_may_sign_requests_alone():
    """A signer accepts an algorithm that can only sign requests; `seed` and `AwsChunked` reject it."""
    signer = Signer(SigningOnly())
    signature = signer.sign(SignableRequest("GET", URL), KEY, at=AT)
    assert "Signature=5eed" in signature.headers["authorization"]
    with pytest.raises(TypeError, match="SigningOnly cannot sign streams"):
        signer.seed(signature, KEY)
    with pytest.raises(TypeError, match="SigningOnly cannot sign streams"):
        AwsChunked(signer.algorithm, 0)
