"""Test SigV4A: keys, region sets, and signatures by this package and by awscrt."""

import json
import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from hmac import digest
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sigv4 import (
    Credentials,
    InvalidRequestError,
    MissingDependencyError,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    VerifyingKey,
    sign_all_headers,
    verify,
)
from sigv4._v4a import _ORDER as ORDER
from sigv4._v4a import covers, signing_scalar
from tests.sigv4.stream_oracles import awscrt_signs_with_v4a, awscrt_verifies

FIXTURE = Path(__file__).parents[2] / "fixtures" / "sigv4" / "v4a.json"
CASES = [pytest.param(case, id=case["name"]) for case in json.loads(FIXTURE.read_text("utf-8"))]
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "secret", "to-ken")
URL = "https://example.amazonaws.com/"


def make_credentials(case):
    """Return the credentials of *case*."""
    return Credentials(**case["credentials"])


def check(arrived, secrets, *, region="us-east-1", service="s3"):
    """Verify a received request, given as its method, URL, headers and body, and return the result."""
    *request, body = arrived
    request = SignableRequest(*request, Payload.of(body))
    return verify(request, secrets, at=AT, service=service, region=region)


def region_in(case):
    """Return a region that belongs to the region set of *case*."""
    return case["region_set"].split(",")[0].replace("*", "east-1")


@pytest.mark.parametrize("public", [False, True], ids=["secret", "public key"])
@pytest.mark.parametrize("case", CASES)
def test_awscrts_signatures_verify(case, public):
    """`verify` accepts awscrt's signatures, with either the secret key or the public key."""
    credentials = make_credentials(case)
    key = SigV4A.public_key(credentials) if public else credentials
    url = "/".join(case["url"].split("/", 3)[:3]) + case["signed_target"]
    verified = check(
        (case["method"], url, case["signed_headers"], case["body"].encode()),
        {credentials.access_key_id: key},
        region=region_in(case),
        service=case["service"],
    )
    assert verified.access_key_id == credentials.access_key_id
    assert (verified.expires_at is not None) == ("expires" in case)


@pytest.mark.parametrize("case", CASES)
def test_our_signatures_verify(case):
    """`verify` accepts this package's signatures in headers and in presigned URLs.

    A signature in headers has the same scope and signed headers as awscrt's, and awscrt accepts it.
    """
    credentials = make_credentials(case)
    signer = Signer(
        SigV4A(service=case["service"], region_set=case["region_set"]),
        signed_headers=sign_all_headers,
    )
    body = case["body"].encode()
    request = SignableRequest(case["method"], case["url"], case["headers"], Payload.of(body))
    key = SigV4A.public_key(credentials)
    known = {credentials.access_key_id: key}
    if "expires" in case:
        url = signer.presign(request, credentials, at=AT, expires=case["expires"])
        headers = request.headers
    else:
        url = request.url
        signature = signer.sign(request, credentials, at=AT)
        headers = [*request.headers, *signature.headers.items()]
        theirs = dict(case["signed_headers"])["Authorization"]
        ours = signature.headers["authorization"]
        assert ours.rpartition("=")[0] == theirs.rpartition("=")[0]
        assert awscrt_verifies(key.public_key, signature.string_to_sign, signature.signature)
    arrived = (case["method"], url, headers, body)
    verified = check(arrived, known, region=region_in(case), service=case["service"])
    assert verified.access_key_id == credentials.access_key_id


# This access key and its public key are from the tests of aws-c-auth and aws-sdk-go-v2.
PUBLIC_KEYS = {
    ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"): (
        "b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1",
        "865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518",
    ),
}


@pytest.mark.parametrize(("pair", "expected"), PUBLIC_KEYS.items(), ids=[k for k, _ in PUBLIC_KEYS])
def test_public_keys(pair, expected):
    """The public key is the one that AWS derives from the same access key."""
    numbers = SigV4A.public_key(Credentials(*pair)).public_key.public_numbers()
    assert expected == (f"{numbers.x:064x}", f"{numbers.y:064x}")


@pytest.mark.parametrize("secret", [f"secret{number}" for number in range(8)])
def test_rejected_candidates(secret):
    """If a candidate for the private key is too large, the candidate for the next counter is used."""
    text = b"AWS4-ECDSA-P256-SHA256\0AKIDEXAMPLE%c\0\0\1\0"
    key = b"AWS4A" + secret.encode()
    candidates = [
        int.from_bytes(digest(key, b"\0\0\0\1" + text % counter, "sha256"), "big")
        for counter in range(1, 9)
    ]
    smallest = min(candidates)
    credentials = Credentials("AKIDEXAMPLE", secret)
    assert signing_scalar(credentials, order=smallest + 2) == smallest + 1


def test_a_key_is_derived_once():
    """The private key is derived once for all services and days, and cached in the credentials."""
    credentials = Credentials("AKIDONCE", "secret")
    SigV4A(service="s3", region_set="*").sign_string("text", credentials, "20261122T120000Z")
    [kept] = credentials._derived_keys.values()
    SigV4A(service="sts", region_set="*").sign_string("text", credentials, "20261123T120000Z")
    assert [*credentials._derived_keys.values()] == [kept]


REGION_SETS = {
    "us-east-1": "us-east-1",
    "*": "*",
    "us-east-1, eu-*": "us-east-1,eu-*",
    ("us-*", "eu-west-1"): "us-*,eu-west-1",
}


@pytest.mark.parametrize(("given", "joined"), REGION_SETS.items(), ids=str)
def test_region_sets(given, joined):
    """A region set can be one str or a sequence of regions, which are joined by commas."""
    algorithm = SigV4A(service="s3", region_set=given)
    headers = Signer(algorithm).sign(SignableRequest("GET", URL), KEY, at=AT).headers
    assert algorithm.region_set == joined
    assert headers["x-amz-region-set"] == joined
    assert repr(algorithm) == f"SigV4A(service='s3', region_set={joined!r})"


@pytest.mark.parametrize(
    "given",
    ["", [], "us-east-1,", "us east", "us?", ["a,b"], "a\nb", None, 1, [1], [b"*"]],
    ids=repr,
)
def test_impossible_region_sets(given):
    """An empty or invalid region set is rejected."""
    with pytest.raises(InvalidRequestError, match="region_set must be region names or patterns"):
        SigV4A(service="s3", region_set=given)


COVERED = [
    ("us-east-1", "us-east-1", True),
    ("us-east-1", "us-east-2", False),
    ("*", "cn-north-1", True),
    ("us-*", "us-west-2", True),
    ("us-*", "eu-us-1", False),
    ("us-*-1", "us-gov-east-1", True),
    ("eu-*,us-east-1", "us-east-1", True),
    ("eu-*, us-east-1", "us-east-1", True),
    ("", "us-east-1", False),
    ("us-east-?", "us-east-1", False),
    ("us-east-[12]", "us-east-1", False),
    ("US-EAST-1", "us-east-1", False),
    ("us-east-1\n", "us-east-2", False),
    ("us-**-1", "us-east-1", True),
    ("*-1*", "us-east-1", True),
    ("us-*-*-1", "us-gov-east-1", True),
    ("us-*-*-1", "us-east-1", False),
    ("us-east-1*1", "us-east-1", False),
    ("*east*east*", "us-east-1", False),
    (",".join(["a"] * 15 + ["us-east-1"]), "us-east-1", True),
    (",".join(["a"] * 16 + ["us-east-1"]), "us-east-1", False),
    ("us-east-1".ljust(255, "*"), "us-east-1", True),
    ("us-east-1".ljust(256, "*"), "us-east-1", False),
]


@pytest.mark.parametrize(("region_set", "region", "expected"), COVERED)
def test_covers(region_set, region, expected):
    """`covers` returns whether a region matches a region set that is within the size limits."""
    assert covers(region_set, region) is expected


@pytest.mark.parametrize("seed", range(20))
def test_wildcards_match_as_those_of_a_shell(seed):
    """In a region set, ``*`` matches any number of characters, as in a shell."""
    random = Random(seed)
    for _ in range(500):
        pattern = "".join(random.choices("ab**-", k=random.randrange(1, 9)))
        region = "".join(random.choices("ab-", k=random.randrange(9)))
        assert covers(pattern, region) is fnmatchcase(region, pattern)


def signed(key=KEY):
    """Sign a request with SigV4A, and return it as the arguments for `check`."""
    request = SignableRequest("GET", URL)
    algorithm = SigV4A(service="s3", region_set="us-*")
    signature = Signer(algorithm).sign(request, key, at=AT)
    return "GET", URL, signature.headers, b""


def refused(arrived, key=KEY, **options):
    """Return the error with which a request is rejected."""
    with pytest.raises(SignatureError) as refusal:
        check(arrived, {"AKIDEXAMPLE": key}, **options)
    return refusal.value


def test_another_region_is_refused():
    """A server outside the region set rejects the request with the code for a wrong scope."""
    assert refused(signed(), region="eu-west-1").code == "AuthorizationHeaderMalformed"


@pytest.mark.parametrize("region_set", ["a*" * 4096, "us-*," * 4096], ids=["pattern", "patterns"])
def test_the_key_comes_before_the_region_set(region_set):
    """A request with an unknown key is rejected before its region set is checked."""
    method, url, headers, body = signed()
    arrived = (method, url, {**headers, "x-amz-region-set": region_set}, body)
    with pytest.raises(SignatureError) as refusal:
        check(arrived, {})
    assert refusal.value.code == "InvalidAccessKeyId"
    assert refused(arrived).code == "AuthorizationHeaderMalformed"


def test_a_missing_region_set_is_refused():
    """A SigV4A request without the header for its region set is rejected."""
    method, url, headers, body = signed()
    headers = {name: value for name, value in headers.items() if name != "x-amz-region-set"}
    assert refused((method, url, headers, body)).code == "AuthorizationHeaderMalformed"


def test_an_altered_region_set_is_refused():
    """A request whose region set was changed after signing is rejected."""
    method, url, headers, body = signed()
    refusal = refused((method, url, {**headers, "x-amz-region-set": "*"}, body))
    assert refusal.code == "SignatureDoesNotMatch"
    assert "x-amz-region-set:*\n" in refusal.canonical_request


@pytest.mark.parametrize(
    "signature",
    ["zz", "", "30", "00" * 70, "é", "3" * 9999],
    ids=["text", "none", "1", "0", "é", "long"],
)
def test_malformed_signatures_are_rejected(signature):
    """A signature that is not hexadecimal DER is rejected."""
    method, url, headers, body = signed()
    text = headers["authorization"].rpartition("=")[0] + "=" + signature
    code = refused((method, url, {**headers, "authorization": text}, body)).code
    assert code == ("SignatureDoesNotMatch" if signature else "IncompleteSignature")


def test_a_signature_has_one_form():
    """A signature is rejected if its encoding is changed, for example to uppercase or padded."""
    method, url, headers, body = signed()
    text, _, signature = headers["authorization"].rpartition("=")
    assert check((method, url, headers, body), {"AKIDEXAMPLE": KEY})
    r, s = decode_dss_signature(bytes.fromhex(signature))
    padded = bytes([0x02, 34, 0, 0]) + r.to_bytes(32, "big") + der_integer(s)
    for other in (
        signature.upper(),
        signature[:2] + " " + signature[2:],
        signature + "00",
        signature + "**",
        signature[:2] + "81" + signature[2:],
        (bytes([0x30, len(padded)]) + padded).hex(),
        encode_dss_signature(r + ORDER, s).hex(),
    ):
        refusal = refused((method, url, {**headers, "authorization": f"{text}={other}"}, body))
        assert refusal.code == "SignatureDoesNotMatch"


def test_awscrt_signs_with_either_half():
    """In awscrt's signatures (r, s), s may be in the lower or in the upper half of its range."""
    high = {
        decode_dss_signature(bytes.fromhex(awscrts_signature()))[1] > ORDER // 2 for _ in range(64)
    }
    assert high == {False, True}


def test_twins_are_known_as_one():
    """(r, s) and (r, `ORDER` - s) have the same `Verified.signature`, so the second is a replay."""
    method, url, headers, body = signed()
    text, _, signature = headers["authorization"].rpartition("=")
    r, s = decode_dss_signature(bytes.fromhex(signature))
    twin = encode_dss_signature(r, ORDER - s).hex()
    first = check((method, url, headers, body), {"AKIDEXAMPLE": KEY})
    second = check(
        (method, url, {**headers, "authorization": f"{text}={twin}"}, body), {"AKIDEXAMPLE": KEY}
    )
    assert first == second
    assert first.seed.signature != second.seed.signature
    assert first.signature == second.signature in {signature, twin}


def der_integer(number):
    """Encode a number as DER."""
    text = number.to_bytes(33, "big").lstrip(b"\0")
    text = text if text[0] < 0x80 else b"\0" + text
    return bytes([0x02, len(text)]) + text


def awscrts_signature():
    """Return a signature that awscrt made."""
    signed = awscrt_signs_with_v4a({**json.loads(FIXTURE.read_text("utf-8"))[0], "at": AT})
    return dict(signed.headers)["Authorization"].rpartition("=")[2]


def test_another_key_is_refused():
    """If the server's secret or public key is not the signer's, the signature is rejected."""
    other = Credentials("AKIDEXAMPLE", "other")
    assert refused(signed(), other).code == "SignatureDoesNotMatch"
    assert refused(signed(), SigV4A.public_key(other)).code == "SignatureDoesNotMatch"


def test_a_public_key_brings_its_token():
    """If a server has only the public key of temporary credentials, it still verifies their token."""
    key = SigV4A.public_key(TEMPORARY)
    known = {"ASIAEXAMPLE": key}
    arguments = signed(key=TEMPORARY)
    assert key.session_token == "to-ken"
    assert "to-ken" not in repr(key)
    assert check(arguments, known).access_key_id == "ASIAEXAMPLE"
    method, url, headers, body = arguments
    altered = {**headers, "x-amz-security-token": "other"}
    with pytest.raises(SignatureError, match="InvalidToken"):
        check((method, url, altered, body), known)


def test_a_public_key_vouches_for_no_hmac():
    """If the server has only a public key, a SigV4 signature is rejected."""
    signature = Signer(SigV4("s3", "us-east-1")).sign(SignableRequest("GET", URL), KEY, at=AT)
    arguments = ("GET", URL, signature.headers, b"")
    assert refused(arguments, SigV4A.public_key(KEY)).code == "SignatureDoesNotMatch"


def test_pem():
    """A public key can be saved and loaded as PEM, as bytes or as str."""
    key = SigV4A.public_key(TEMPORARY)
    pem = key.to_pem()
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert (
        key == VerifyingKey.from_pem(pem, "to-ken") == VerifyingKey.from_pem(pem.decode(), "to-ken")
    )


WRONG_KEYS = {
    "another curve": ec.generate_private_key(ec.SECP384R1()).public_key(),
    "no curve": ed25519.Ed25519PrivateKey.generate().public_key(),
    "private": ec.generate_private_key(ec.SECP256R1()),
    "bytes": b"key",
}


@pytest.mark.parametrize("key", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_other_keys_are_refused(key):
    """`VerifyingKey` rejects an object that is not a public key on P-256."""
    with pytest.raises(ValueError, match="on the curve P-256"):
        VerifyingKey(key)


def test_other_pem_is_refused():
    """`VerifyingKey.from_pem` rejects PEM data with another kind of key."""
    pem = WRONG_KEYS["another curve"].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="on the curve P-256"):
        VerifyingKey.from_pem(pem)


def test_without_cryptography(monkeypatch):
    """If `cryptography` cannot be imported, signing and verifying raise MissingDependencyError."""
    arguments = signed()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    fresh = Credentials("AKIDEXAMPLE", "another-secret")
    with pytest.raises(MissingDependencyError, match="cryptography"):
        signed(key=fresh)
    with pytest.raises(ImportError, match="cryptography"):
        check(arguments, {"AKIDEXAMPLE": fresh})


def test_the_hash_is_the_bodys():
    """If the body of a SigV4A request is not the signed body, the request is rejected."""
    method, url, headers, _ = signed()
    refusal = refused((method, url, headers, b"other"))
    assert refusal.code == "XAmzContentSHA256Mismatch"
    assert headers["x-amz-content-sha256"] == sha256(b"").hexdigest()
