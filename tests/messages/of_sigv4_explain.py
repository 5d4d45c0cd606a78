"""Explanations that the signer gives for signatures rejected by AWS."""

from datetime import UTC, datetime

from sigv4 import Credentials, Payload, SignableRequest, Signer, SigV4, explain

COVERED = ("sigv4/_explain.py", "sigv4/_refusal.py")

SIGNER = Signer(SigV4("s3", "us-east-1"))
KEY = Credentials("AKIDEXAMPLE", "secret")
URL = "https://bucket.example/a%20b"
ERROR = """<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{signature.string_to_sign}\
</StringToSign><CanonicalRequest>{signature.canonical_request}</CanonicalRequest></Error>"""
WITHOUT_STRING_TO_SIGN = (
    "<Error><CanonicalRequest>{signature.canonical_request}</CanonicalRequest></Error>"
)


def _sign(url=URL, headers=(), signer=SIGNER, payload=Payload.EMPTY, second=0):
    at = datetime(2026, 11, 22, 12, 0, second, tzinfo=UTC)
    return signer.sign(SignableRequest("GET", url, headers, payload), KEY, at=at)


def _explained(signature, *, error=ERROR, **expected):
    """Explain an AWS error about *signature*; *expected* describes the request that AWS saw."""
    return explain(error.format(signature=_sign(**expected)), signature)


def _differs(lines):
    return "SignatureDoesNotMatch: the canonical requests differ. " + lines


MESSAGES = [
    (
        lambda: _explained(_sign()),
        (
            "SignatureDoesNotMatch: both sides signed the same string, so the signing keys differ: the "
            "secret access key does not belong to this access key ID."
        ),
    ),
    (
        lambda: _explained(_sign(), error=WITHOUT_STRING_TO_SIGN),
        (
            "the canonical requests are equal, so the string to sign or the key differs: compare the "
            "string to sign as well."
        ),
    ),
    (
        lambda: _explained(_sign(), second=1, headers={"x-amz-date": "20261122T120001Z"}),
        _differs(
            "header x-amz-date: we signed '20261122T120000Z', AWS expected '20261122T120001Z' (it "
            "was changed after signing)"
        ),
    ),
    (
        lambda: _explained(
            _sign(signer=SIGNER),
            signer=Signer(SigV4("s3", "eu-west-1")),
        ),
        (
            "SignatureDoesNotMatch: the canonical requests are equal, but the strings to sign differ. "
            "scope: we signed '20261122/us-east-1/s3/aws4_request', AWS expected "
            "'20261122/eu-west-1/s3/aws4_request' (the service, region or date differs)"
        ),
    ),
    (
        lambda: _explained(_sign(f"{URL}?a=1"), url=f"{URL}?b=2"),
        _differs(
            "query parameter a: we signed '1', AWS expected nothing "
            "query parameter b: we signed nothing, AWS expected '2' (it was added after signing)"
        ),
    ),
    (
        lambda: _explained(_sign(headers={"x-amz-acl": "private"})),
        _differs(
            "header x-amz-acl: we signed 'private', AWS expected nothing (it was removed in "
            "transit, or never sent) signed headers: we signed "
            "'host;x-amz-acl;x-amz-content-sha256;x-amz-date', AWS expected "
            "'host;x-amz-content-sha256;x-amz-date'"
        ),
    ),
    (
        lambda: _explained(_sign(headers={"host": "bucket.example:8443"})),
        _differs(
            "header host: we signed 'bucket.example:8443', AWS expected 'bucket.example' (a proxy, a "
            "DNS alias or a port changed it)"
        ),
    ),
    (
        lambda: explain("SignatureDoesNotMatch", _sign()),
        "the response does not contain the canonical request that the service expected",
    ),
    (
        lambda: explain(" " * 300_000, _sign()),
        "the response is longer than 262144 bytes",
    ),
    (
        lambda: explain(ERROR.format(signature=_sign()), "GET"),
        "the text is not a canonical request: it has fewer than 6 lines",
    ),
    # Paths that differ.
    (
        lambda: _explained(_sign(signer=SIGNER.replace(double_encode=True))),
        _differs(
            "path: we signed '/a%2520b', AWS expected '/a%20b' (AWS encodes the path only once: use "
            "double_encode=False, which is correct for S3)"
        ),
    ),
    (
        lambda: _explained(_sign(), signer=SIGNER.replace(double_encode=True)),
        _differs(
            "path: we signed '/a%20b', AWS expected '/a%2520b' (AWS encodes the path twice: use "
            "double_encode=True, which is correct for all services except S3)"
        ),
    ),
    (
        lambda: _explained(
            _sign("https://bucket.example/a=%20"), url="https://bucket.example/a%3D%20"
        ),
        _differs(
            "path: we signed '/a=%20', AWS expected '/a%3D%20' (S3 decodes the path and encodes it again: "
            "encode the key with percent_encode_path)"
        ),
    ),
    (
        lambda: _explained(_sign(), url="https://bucket.example/c"),
        _differs(
            "path: we signed '/a%20b', AWS expected '/c' (the path must be sent exactly as it was "
            "signed)"
        ),
    ),
    (
        lambda: _explained(
            _sign(signer=SIGNER.replace(content_sha256=False), payload=Payload.UNSIGNED),
            signer=SIGNER.replace(content_sha256=False),
            payload=Payload("0"),
        ),
        _differs(
            "payload hash: we signed 'UNSIGNED-PAYLOAD', AWS expected '0' (the body was changed after "
            "signing, or only one side used UNSIGNED-PAYLOAD)"
        ),
    ),
]
