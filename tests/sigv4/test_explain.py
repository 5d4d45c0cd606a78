"""Test `explain`: the reported differences, and that secrets are hidden."""

import json
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from sigv4 import (
    Credentials,
    Difference,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    SigV4Error,
    UnexplainedError,
    explain,
)
from sigv4._explain import mask_secrets
from sigv4._limits import LONGEST_ERROR_RESPONSE

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
TOLD = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


def signed(
    *,
    method="GET",
    url="https://host.example/a%20b?x=1&y=2",
    headers=(("X-Amz-Meta-A", "b"),),
    body=b"",
    region="us-east-1",
    at=AT,
    key=KEY,
    **rules,
):
    """Sign a request, and return the signature."""
    request = SignableRequest(method, url, headers, Payload.of(body))
    return Signer(SigV4("execute-api", region), **rules).sign(request, key, at=at)


def message(theirs, told=TOLD):
    """Return the error message that services except S3 send."""
    return (
        f"{told}\n\nThe Canonical String for this request should have been\n"
        f"'{theirs.canonical_request}'\n\n"
        f"The String-to-Sign should have been\n'{theirs.string_to_sign}'\n"
    )


def as_s3_says(theirs):
    """Return an error response in the form that S3 sends."""
    in_hexadecimal = theirs.canonical_request.encode().hex(" ")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code>'
        f"<Message>{TOLD}</Message><AWSAccessKeyId>ASIAEXAMPLE</AWSAccessKeyId>"
        f"<StringToSign>{escape(theirs.string_to_sign)}</StringToSign>"
        f"<SignatureProvided>{theirs.signature}</SignatureProvided>"
        f"<CanonicalRequest>{escape(theirs.canonical_request)}</CanonicalRequest>"
        f"<CanonicalRequestBytes>{in_hexadecimal}</CanonicalRequestBytes>"
        "<RequestId>A</RequestId><HostId>B</HostId></Error>"
    ).encode()


def as_sts_says(theirs):
    """Return an error response in the form of the query protocol, which STS uses."""
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n'
        f"    <Type>Sender</Type>\n    <Code>SignatureDoesNotMatch</Code>\n"
        f"    <Message>{escape(message(theirs))}</Message>\n  </Error>\n"
        "  <RequestId>A</RequestId>\n</ErrorResponse>"
    ).encode()


def as_api_gateway_says(theirs):
    """Return an error response in the form that API Gateway sends, as a ``str``."""
    return json.dumps({"message": message(theirs)})


def as_sagemaker_says(theirs):
    """Return an error response in the form of a JSON protocol, as SageMaker sends it."""
    kind = "com.amazon.coral.service#InvalidSignatureException"
    return json.dumps({"__type": kind, "Message": message(theirs)}).encode()


RESPONSES = {
    "S3": (as_s3_says, "SignatureDoesNotMatch"),
    "STS": (as_sts_says, "SignatureDoesNotMatch"),
    "API Gateway": (as_api_gateway_says, None),
    "SageMaker": (as_sagemaker_says, "InvalidSignatureException"),
}
with_each_response = pytest.mark.parametrize(
    ("said", "code"), RESPONSES.values(), ids=RESPONSES.keys()
)


@with_each_response
def test_equal(said, code):
    """If both sides signed the same string to sign, `explain` reports the key as the cause."""
    explanation = explain(said(signed()), signed(key=KEY.replace(secret_access_key="other")))
    assert (explanation.code, explanation.cause, explanation.differences) == (code, "key", ())
    assert "the secret access key does not belong to this access key ID" in str(explanation)


@with_each_response
def test_canonical_request(said, code):
    """If the canonical requests differ, `explain` reports exactly the parts that differ."""
    explanation = explain(said(signed(method="PUT", url="https://host.example/a%20b")), signed())
    assert (explanation.code, explanation.cause) == (code, "canonical request")
    assert explanation.differences == (
        Difference("method", "GET", "PUT"),
        Difference("query parameter x", "1", None),
        Difference("query parameter y", "2", None),
    )
    assert str(explanation) == "\n  ".join(
        [
            (f"{code}: " if code else "") + "the canonical requests differ.",
            "method: we signed 'GET', AWS expected 'PUT'",
            "query parameter x: we signed '1', AWS expected nothing",
            "query parameter y: we signed '2', AWS expected nothing",
        ]
    )


def test_string_to_sign():
    """If only the strings to sign differ, `explain` reports the part in which they differ."""
    explanation = explain(as_s3_says(signed(region="eu-west-1")), signed())
    assert explanation.cause == "string to sign"
    assert explanation.differences == (
        Difference(
            "scope",
            "20261122/us-east-1/execute-api/aws4_request",
            "20261122/eu-west-1/execute-api/aws4_request",
            "the service, region or date differs",
        ),
    )
    assert "the canonical requests are equal, but the strings to sign differ." in str(explanation)


def test_canonical_request_alone():
    """If the caller passes only a canonical request, the explanation has AWS's string to sign."""
    explanation = explain(as_s3_says(signed()), signed().canonical_request + "\n")
    assert (explanation.cause, explanation.differences) == ("unknown", ())
    assert explanation.string_to_sign == signed().string_to_sign
    assert "AWS expected '20261122/us-east-1/execute-api/aws4_request'" in str(explanation)


def test_response_without_string_to_sign():
    """If the response has no string to sign, only the canonical requests are compared."""
    said = (
        f"<Error><CanonicalRequest>{escape(signed().canonical_request)}</CanonicalRequest></Error>"
    )
    explanation = explain(said, signed())
    assert (explanation.code, explanation.cause) == (None, "unknown")
    assert str(explanation).startswith(
        "the canonical requests are equal, so the string to sign or the key differs"
    )


def meta(**headers):
    """Return the argument *headers* for `signed`, with hyphens in place of underscores."""
    return {"headers": [(name.replace("_", "-"), value) for name, value in headers.items()]}


LONG = "x" * 300
PARTS = {
    "path encoded once": (
        {"double_encode": False},
        {},
        Difference(
            "path",
            "/a%20b",
            "/a%2520b",
            "AWS encodes the path twice: use double_encode=True, which is correct for all services except S3",
        ),
    ),
    "path encoded twice": (
        {},
        {"double_encode": False},
        Difference(
            "path",
            "/a%2520b",
            "/a%20b",
            "AWS encodes the path only once: use double_encode=False, which is correct for S3",
        ),
    ),
    "path that S3 decodes": (
        {"url": "https://host.example/%7Ea?x=1&y=2", "double_encode": False},
        {"url": "https://host.example/~a?x=1&y=2", "double_encode": False},
        Difference(
            "path",
            "/%7Ea",
            "/~a",
            "S3 decodes the path and encodes it again: encode the key with percent_encode_path",
        ),
    ),
    "path": (
        {"url": "https://host.example/a?x=1&y=2"},
        {"url": "https://host.example/b?x=1&y=2"},
        Difference("path", "/a", "/b", "the path must be sent exactly as it was signed"),
    ),
    "query": (
        {},
        {"url": "https://host.example/a%20b?x=1&y=3"},
        Difference("query parameter y", "2", "3", "it was changed after signing"),
    ),
    "repeated query parameter": (
        {},
        {"url": "https://host.example/a%20b?x=1&y=2&y=3"},
        Difference("query parameter y", "2", "2,3", "it was changed after signing"),
    ),
    "query parameter of theirs": (
        {},
        {"url": "https://host.example/a%20b?x=1&y=2&z="},
        Difference("query parameter z", None, "", "it was added after signing"),
    ),
    "token in the query": (
        {"url": "https://host.example/?X-Amz-Security-Token=secret"},
        {"url": "https://host.example/?X-Amz-Security-Token=secret2"},
        Difference(
            "query parameter X-Amz-Security-Token",
            "<6 characters, hidden>",
            "<7 characters, hidden>",
            "it was changed after signing",
        ),
    ),
    "host": (
        meta(x_amz_meta_a="b", host="a.example"),
        meta(x_amz_meta_a="b", host="b.example"),
        Difference(
            "header host", "a.example", "b.example", "a proxy, a DNS alias or a port changed it"
        ),
    ),
    "header": (
        meta(x_amz_meta_a="b"),
        meta(x_amz_meta_a="c"),
        Difference("header x-amz-meta-a", "b", "c", "it was changed after signing"),
    ),
    "header of no value": (
        meta(x_amz_meta_a="b"),
        meta(x_amz_meta_a=""),
        Difference("header x-amz-meta-a", "b", "", "it was changed after signing"),
    ),
    "token": (
        {},
        {"key": KEY.replace(session_token="other-token")},
        Difference(
            "header x-amz-security-token",
            "<6 characters, hidden>",
            "<11 characters, hidden>",
            "it was changed after signing",
        ),
    ),
    "customer key": (
        meta(x_amz_server_side_encryption_customer_key="secret"),
        meta(x_amz_server_side_encryption_customer_key=""),
        Difference(
            "header x-amz-server-side-encryption-customer-key",
            "<6 characters, hidden>",
            "",
            "it was changed after signing",
        ),
    ),
    "long header": (
        meta(x_amz_meta_a=LONG + "b" + LONG),
        meta(x_amz_meta_a=LONG + "c"),
        Difference(
            "header x-amz-meta-a",
            "..." + "x" * 30 + "b" + "x" * 86 + "...",
            "..." + "x" * 30 + "c",
            "it was changed after signing",
        ),
    ),
    "header that is a beginning of the other": (
        meta(x_amz_meta_a="a"),
        meta(x_amz_meta_a="a" + LONG),
        Difference(
            "header x-amz-meta-a", "a", "a" + "x" * 119 + "...", "it was changed after signing"
        ),
    ),
    "body": (
        {"body": b"a"},
        {"body": b""},
        Difference(
            "payload hash",
            Payload.of(b"a").hash,
            Payload.EMPTY.hash,
            "the body was changed after signing, or only one side used UNSIGNED-PAYLOAD",
        ),
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "expected"), PARTS.values(), ids=PARTS.keys())
def test_parts(ours, theirs, expected):
    """Each differing part is reported with a hint and both values, which are masked if secret."""
    explanation = explain(as_s3_says(signed(**theirs)), signed(**ours))
    assert explanation.differences == (expected,)


def test_header_that_did_not_arrive():
    """If AWS did not receive a header, both the header and the list of signed headers are reported."""
    explanation = explain(as_s3_says(signed(headers=())), signed(headers=[("x-amz-a", LONG)]))
    assert explanation.differences == (
        Difference(
            "header x-amz-a", "x" * 120 + "...", None, "it was removed in transit, or never sent"
        ),
        Difference(
            "signed headers",
            "host;x-amz-a;x-amz-date;x-amz-security-token",
            "host;x-amz-date;x-amz-security-token",
        ),
    )


ORDERS = {
    "query": ("?x=1&y=2", "?y=2&x=1", Difference("order of query parameters", "x=&y=", "y=&x=")),
    "equals sign": ("?x=&y=", "?x&y=", Difference("order of query parameters", "x=&y=", "x&y=")),
}


@pytest.mark.parametrize(("ours", "theirs", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_order(ours, theirs, expected):
    """If two canonical requests differ only in the order of parameters, the order is reported."""
    texts = [f"GET\n/\n{query[1:]}\nhost:h\n\nhost\nhash" for query in (ours, theirs)]
    said = json.dumps({"message": message(signed().replace(canonical_request=texts[1]))})
    assert explain(said, texts[0]).differences == (expected,)


def test_control_characters():
    """Control characters in a response are escaped in the explanation."""
    theirs = signed().replace(canonical_request="GET\n/\n\nhost\x1b[31m:\x07\n\nhost\nhash")
    text = str(explain(as_api_gateway_says(theirs), signed()))
    assert all(line.isprintable() for line in text.splitlines())
    assert r"header host\x1b[31m: we signed nothing, AWS expected '\x07'" in text


SILENT = {
    "nothing": b"",
    "whitespace": b" \n",
    "HTML": b"<html><body>403<p></body></html>",
    "XML of another error": b"<Error><Code>AccessDenied</Code></Error>",
    "JSON of another error": b'{"message": "Forbidden"}',
    "JSON without text": b'{"message": null, "code": 7}',
    "JSON list": b"[]",
    "JSON too deep": b"[" * 100_000,
    "JSON of a large number": b"1" * 100_000,
    "cut XML": b"<Error><CanonicalRequest>GET",
    "unknown encoding": b'<?xml version="1.0" encoding="x"?><Error/>',
    "lone surrogate": "<Error>\udfff</Error>",
    "too short": b"<Error><CanonicalRequest>GET\n/</CanonicalRequest></Error>",
    "document type": (
        b'<!DOCTYPE a [<!ENTITY b "c">]><Error><CanonicalRequest>&b;</CanonicalRequest></Error>'
    ),
    "too long": b"<Error>" + b" " * LONGEST_ERROR_RESPONSE,
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT.keys())
def test_responses_without_a_canonical_request(said):
    """The error for a response without a canonical request does not quote the response."""
    with pytest.raises(UnexplainedError) as refusal:
        explain(said, signed())
    assert isinstance(refusal.value, SigV4Error)
    assert len(str(refusal.value)) < 80


def test_invalid_canonical_request():
    """A string that is not a canonical request raises UnexplainedError."""
    with pytest.raises(UnexplainedError, match="the text is not a canonical request"):
        explain(as_s3_says(signed()), "GET\n/")


def test_no_secret():
    """Neither the text nor the repr of an explanation contains a session token or a secret key."""
    theirs = signed(key=KEY.replace(session_token="another-token"))
    explanation = explain(as_s3_says(theirs), signed())
    assert [
        secret
        for secret in ("to-ken", "another-token", "very-secret")
        if secret in str(explanation) + repr(explanation)
    ] == []


MASKED = {
    "header": ("GET\n/\n\nx-amz-security-token:abc\n\nx\nh", "<3 characters, hidden>"),
    "query": ("GET\n/\na=b&X-Amz-Security-Token=ab\n\n\nx\nh", "<2 characters, hidden>"),
}


@pytest.mark.parametrize(("text", "instead"), MASKED.values(), ids=MASKED.keys())
def test_masked(text, instead):
    """`mask_secrets` replaces each secret by a note of its length, and changes nothing else."""
    secret = "abc" if "abc" in text else "=ab"
    hidden = "=" + instead if secret == "=ab" else instead
    assert mask_secrets(text) == text.replace(secret, hidden)


def test_mask_of_an_invalid_canonical_request():
    """`mask_secrets` does not change a string that is not a canonical request."""
    assert mask_secrets("GET") == "GET"
