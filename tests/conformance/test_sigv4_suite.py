"""Test each stage of signing against AWS's SigV4 test suite and the examples in S3's documentation."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import pytest

from sigv4 import (
    Credentials,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    percent_encode_path,
    sign_all_headers,
    verify,
)
from sigv4._signing_rules import canonical_request

SUITES = Path(os.environ["SUITES"])
SUITE = json.loads((SUITES / "sigv4.json").read_text("utf-8"))
S3 = json.loads((SUITES / "s3-doc-vectors.json").read_text("utf-8"))


class Recorder:
    """Wraps a function to record its last result.

    `presign` returns only a URL, so the canonical request is recorded in this way.
    """

    def __init__(self, function):
        self.function = function
        self.last = None

    def __call__(self, *arguments):
        self.last = self.function(*arguments)
        return self.last


class RecordingSigV4(SigV4):
    """The SigV4 algorithm, which also records the last string to sign."""

    def sign_string(self, text, credentials, instant):
        RecordingSigV4.last = text
        return super().sign_string(text, credentials, instant)


class Presigned(NamedTuple):
    """A presigned URL, with the canonical request and the string to sign from which it was made."""

    url: str
    canonical_request: str
    string_to_sign: str


class Case:
    """A case in the suite, with its request, its settings and its expected strings."""

    def __init__(self, case):
        context = case["context"]
        given = context["credentials"]
        self.credentials = Credentials(
            given["access_key_id"], given["secret_access_key"], given.get("token")
        )
        self.at = datetime.fromisoformat(context["timestamp"])
        self.expires = context["expiration_in_seconds"]
        self.signs_body = context["sign_body"]
        self.algorithm = RecordingSigV4(context["service"], context["region"])
        self.options = {
            "signed_headers": sign_all_headers,
            "normalize_path": context["normalize"],
            "double_encode": False,  # because `_request` has already encoded the path once
            "sign_session_token": not context.get("omit_session_token", False),
        }
        self.request = _request(case["request"])
        self.expected = {by: case[by] for by in ("header", "query")}

    def signed(self):
        """Sign the request in its headers, and return the signature."""
        signer = Signer(self.algorithm, content_sha256=self.signs_body, **self.options)
        return signer.sign(self.request, self.credentials, at=self.at)

    def presigned(self):
        """Presign the request, and return the URL, the canonical request and the string to sign."""
        signer = Signer(self.algorithm, **self.options)
        with patch("sigv4._presign.canonical_request", Recorder(canonical_request)) as recorder:
            url = signer.presign(self.request, self.credentials, at=self.at, expires=self.expires)
        return Presigned(url, recorder.last, RecordingSigV4.last)


def _request(text):
    """Parse a request of the suite, which has an unencoded path and may have folded headers."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    method, target = first.removesuffix(" HTTP/1.1").split(" ", 1)
    headers = []
    for line in lines:
        if line[0] == " ":
            name, value = headers.pop()
            headers.append((name, f"{value} {line.strip()}"))
        else:
            headers.append(tuple(line.split(":", 1)))
    path, mark, query = target.partition("?")
    host = dict(headers)["Host"]
    encoded = percent_encode_path(path) + mark + _encoded(query)
    url = f"https://{host}{encoded}"
    return SignableRequest(method, url, headers, Payload.of(body.encode()))


def _encoded(query):
    """Percent-encode the non-ASCII characters of a query."""
    return "".join(c if c.isascii() else percent_encode_path(c) for c in query)


CASES = [pytest.param(Case(case), id=case["name"]) for case in SUITE]


def test_the_suite_is_whole():
    """The suite has 38 cases, and all of them are tested."""
    assert len(CASES) == 38


@pytest.mark.parametrize("case", CASES)
def test_header_canonical_request(case):
    """If a request is signed in its headers, its canonical request is the expected one."""
    assert case.signed().canonical_request == case.expected["header"]["canonical-request"]


@pytest.mark.parametrize("case", CASES)
def test_header_string_to_sign(case):
    """If a request is signed in its headers, its string to sign is the expected one."""
    assert case.signed().string_to_sign == case.expected["header"]["string-to-sign"]


@pytest.mark.parametrize("case", CASES)
def test_header_signature(case):
    """If a request is signed in its headers, the signature and added headers are as expected."""
    signature = case.signed()
    assert signature.signature == case.expected["header"]["signature"]
    signed = _request(case.expected["header"]["signed-request"])
    given = {name for name, _ in case.request.headers}
    added = {name: value for name, value in signed.headers if name not in given}
    assert signature.headers == added


@pytest.mark.parametrize("case", CASES)
def test_query_canonical_request(case):
    """If a request is presigned, its canonical request is the expected one."""
    assert case.presigned().canonical_request == case.expected["query"]["canonical-request"]


@pytest.mark.parametrize("case", CASES)
def test_query_string_to_sign(case):
    """If a request is presigned, its string to sign is the expected one."""
    assert case.presigned().string_to_sign == case.expected["query"]["string-to-sign"]


@pytest.mark.parametrize("case", CASES)
def test_query_signature(case):
    """If a request is presigned, the signature and all parameters of the URL are as expected."""
    url = case.presigned().url
    expected = _request(case.expected["query"]["signed-request"])
    assert url.rpartition("&X-Amz-Signature=")[2] == case.expected["query"]["signature"]
    assert _parameters(url) == _parameters(expected.url)


def _parameters(url):
    """Return the decoded query parameters of a URL, sorted by name."""
    return sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True))


S3_CREDENTIALS = Credentials(**S3["credentials"])
S3_AT = datetime.strptime(S3["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
S3_CASES = [pytest.param(case, id=case["name"]) for case in S3["header"]]


def _s3_arrived(case):
    """Return the request of an example as S3 receives it, with the documented signature."""
    names = case["canonical_request"].split("\n")[-2]
    scope = case["string_to_sign"].split("\n")[2]
    headers = [tuple(pair) for pair in case["headers"]]
    url = f"https://{dict(headers)['Host']}{percent_encode_path(case['path'])}?{case['query']}"
    if "X-Amz-Algorithm" in case["query"]:
        url += f"&X-Amz-Signature={case['signature']}"
    else:
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={S3_CREDENTIALS.access_key_id}/{scope},"
            f"SignedHeaders={names},Signature={case['signature']}"
        )
        headers.append(("Authorization", authorization))
    digest = case["payload_hash"]
    payload = Payload.EMPTY if digest == "UNSIGNED-PAYLOAD" else Payload.hashed(digest)
    return SignableRequest(case["method"], url, headers, payload)


@pytest.mark.parametrize("case", S3_CASES)
def test_s3_documentation_is_accepted(case):
    """`verify` accepts the signed requests and the presigned URL in S3's documentation."""
    known = {S3_CREDENTIALS.access_key_id: S3_CREDENTIALS}
    verified = verify(
        _s3_arrived(case), known, at=S3_AT, service=S3["service"], region=S3["region"]
    )
    assert verified.payload_hash == case["payload_hash"]


@pytest.mark.parametrize(
    "case", [case for case in S3_CASES if "X-Amz-" not in case.values[0]["query"]]
)
def test_s3_documentation_is_signed_alike(case):
    """The canonical request, string to sign and signature of each S3 example are as documented."""
    signer = Signer(SigV4(S3["service"], S3["region"]), signed_headers=sign_all_headers)
    signature = signer.sign(_s3_arrived(case), S3_CREDENTIALS, at=S3_AT)
    assert signature.canonical_request == case["canonical_request"]
    assert signature.string_to_sign == case["string_to_sign"]
    assert signature.signature == case["signature"]


@pytest.mark.parametrize("case", [case for case in S3_CASES if "X-Amz-" in case.values[0]["query"]])
def test_s3_documentation_is_presigned_alike(case):
    """Presigning the example in S3's documentation gives the documented URL."""
    expires = int(dict(parse_qsl(case["query"]))["X-Amz-Expires"])
    signer = Signer(SigV4(S3["service"], S3["region"]))
    request = SignableRequest(case["method"], _s3_arrived(case).url.partition("?")[0])
    url = signer.presign(request, S3_CREDENTIALS, at=S3_AT, expires=expires)
    assert _s3_arrived(case).url == url
