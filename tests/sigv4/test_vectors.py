"""Test the vectors in ``fixtures/sigv4``.

Each stage has its own test, so a failure shows which stage is wrong.
"""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from sigv4 import Payload, SignableRequest, SignatureError, Signer, SigV4, verify
from tests.sigv4.oracles import from_fixture
from tests.sigv4.signing import make_credentials, presign, sign, signable

FOLDER = Path(__file__).parents[2] / "fixtures" / "sigv4"
SIGNED = ["headers", "hosts", "odd-queries", "paths", "payloads", "queries", "sagemaker"]


def load(*names):
    """Return the cases in the fixture files *names* as pytest parameters."""
    return [
        pytest.param(case, id=f"{name}: {case['name']}")
        for name in names
        for case in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    ]


@pytest.mark.parametrize("case", load(*SIGNED))
def test_canonical_request(case):
    """The canonical request is the same as botocore's."""
    assert sign(from_fixture(case)).canonical_request == case["canonical_request"]


@pytest.mark.parametrize("case", load(*SIGNED))
def test_string_to_sign(case):
    """The string to sign is the same as botocore's."""
    assert sign(from_fixture(case)).string_to_sign == case["string_to_sign"]


@pytest.mark.parametrize("case", load(*SIGNED))
def test_signature(case):
    """The signature, the signed headers and the Authorization header are the same as botocore's."""
    request = from_fixture(case)
    signature = sign(request)
    scope = case["string_to_sign"].split("\n")[2]
    assert signature.signature == case["signature"]
    assert ";".join(signature.signed_headers) == case["signed_headers"]
    assert signature.headers["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={request.access_key_id}/{scope}, "
        f"SignedHeaders={case['signed_headers']}, Signature={case['signature']}"
    )


@pytest.mark.parametrize("case", load("presigned"))
def test_presigned_stages(case):
    """The error for a wrong signature in a URL contains the strings that botocore computes."""
    request = from_fixture(case)
    known = make_credentials(request)
    url = presign(request, case["expires"])
    altered = url[:-1] + ("0" if url[-1] != "0" else "1")
    arrived = SignableRequest(request.method, altered, request.headers, Payload.of(request.body))
    with pytest.raises(SignatureError) as refusal:
        verify(
            arrived,
            {known.access_key_id: known},
            at=request.at,
            service=request.service,
            region=request.region,
        )
    assert refusal.value.code == "SignatureDoesNotMatch"
    assert refusal.value.canonical_request == case["canonical_request"]
    assert refusal.value.string_to_sign == case["string_to_sign"]


@pytest.mark.parametrize("case", load("presigned"))
def test_presigned_signature(case):
    """The signature and the parameters of a presigned URL are the same as botocore's."""
    expected, actual = case["presigned_url"], presign(from_fixture(case), case["expires"])
    assert actual.rpartition("X-Amz-Signature=")[2] == case["signature"]
    assert _parameters(actual) == _parameters(expected)


def _parameters(url):
    """Return the decoded query parameters of a URL, sorted by name."""
    return sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True))


# Signatures in InvokeEndpointAsync calls that a complete botocore client made.
GOLDEN = {
    "input location": "b4cfe3701cc17b89e8ef7bbe5fd2af33ee7072d21f37b502f61925b63071d64d",
    "inline body": "f71f4df99fd507eb39d6ba530c718d1a1a5a5ea8a3c90b31dc6173d46594e48a",
    "name to be encoded": "7945561ed215d39ef2736e2019a75d765fe02cf043a076dc8676a9c5453e5df1",
}


@pytest.mark.parametrize(
    "case", [case for case in load("sagemaker") if case.values[0]["name"] in GOLDEN]
)
def test_golden_signatures(case):
    """The signature of a request equals that of a recorded botocore call."""
    assert sign(from_fixture(case)).signature == GOLDEN[case["name"]]


@pytest.mark.parametrize("case", load("sagemaker"))
def test_default_selection_signs_invocations_alike(case):
    """For InvokeEndpointAsync, the default selection gives the same signature as botocore."""
    request = from_fixture(case)
    signer = Signer(SigV4(request.service, request.region))
    signature = signer.sign(signable(request), make_credentials(request), at=request.at)
    assert signature.signature == case["signature"]
