"""Test which requests `verify` accepts and rejects, and the error codes."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from sigv4 import Credentials, Payload, SignableRequest, SignatureError, Signer, SigV4, verify

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
KNOWN = {KEY.access_key_id: KEY, TEMPORARY.access_key_id: TEMPORARY}
URL = "https://my-bucket.s3.us-east-1.amazonaws.com/a/b?prefix=c&x=1"
BODY = b"body"


class Wire:
    """A signed request in transit; its methods return changed copies."""

    def __init__(self, method, url, headers, body=BODY):
        self.method, self.url, self.headers, self.body = method, url, headers, body

    def replace(self, old, new):
        """Return a copy with *old*, which the URL or a header must contain, replaced by *new*."""
        changed = Wire(
            self.method,
            self.url.replace(old, new),
            {name: value.replace(old, new) for name, value in self.headers.items()},
            self.body,
        )
        assert (changed.url, changed.headers) != (self.url, self.headers)
        return changed

    def without(self, *names):
        """Return a copy without these headers or parameters; at least one of them must exist."""
        path, _, query = self.url.partition("?")
        pairs = [pair for pair in query.split("&") if pair.partition("=")[0] not in names]
        headers = {name: value for name, value in self.headers.items() if name not in names}
        changed = Wire(self.method, f"{path}?{'&'.join(pairs)}", headers, self.body)
        assert (changed.url, changed.headers) != (self.url, self.headers)
        return changed

    def but(self, *, method=None, body=None, url=None, **headers):
        """Return a copy with another method, body or URL, or with other headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Wire(
            method or self.method,
            self.url if url is None else url,
            {**self.headers, **named},
            self.body if body is None else body,
        )

    def received(self, *, at=AT, service="s3", region="us-east-1", **options):
        """Verify the request as a server does, and return the result."""
        request = SignableRequest(self.method, self.url, self.headers, Payload.of(self.body))
        options.setdefault("secrets", KNOWN)
        return verify(request, at=at, service=service, region=region, **options)


def by_header(credentials=KEY, *, service="s3", url=URL, headers=None, body=BODY, **options):
    """Return a PUT request that is signed in its headers."""
    signer = Signer(SigV4(service, "us-east-1"), **options)
    headers = {"content-type": "text/plain"} if headers is None else headers
    request = SignableRequest("PUT", url, headers, Payload.of(body))
    return Wire("PUT", url, {**headers, **signer.sign(request, credentials, at=AT).headers}, body)


def by_url(credentials=KEY, *, service="s3", expires=600, **options):
    """Return a GET request for a presigned URL."""
    signer = Signer(SigV4(service, "us-east-1"), **options)
    headers = {"content-type": "text/plain"}
    request = SignableRequest("GET", URL, headers, Payload.of(BODY))
    url = signer.presign(request, credentials, at=AT, expires=expires)
    return Wire("GET", url, headers)


def refusal(wire, **options):
    """Return the error with which a request is rejected."""
    with pytest.raises(SignatureError) as caught:
        wire.received(**options)
    return caught.value


HOUR = timedelta(hours=1)
MALFORMED = "AuthorizationHeaderMalformed"
BAD_QUERY = "AuthorizationQueryParametersError"
MISMATCH = "SignatureDoesNotMatch"
SKEWED = "RequestTimeTooSkewed"
HASH = "x-amz-content-sha256"

# Name, request, options for `verify` and error code of each case, in the order of the checks.
HEADER_REFUSALS = [
    ("no Authorization", by_header().without("authorization"), {}, "MissingAuthenticationToken"),
    ("empty Authorization", by_header().but(authorization=""), {}, "IncompleteSignature"),
    ("basic", by_header().but(authorization="Basic YTpi"), {}, "IncompleteSignature"),
    ("not a list", by_header().but(authorization="AWS4-HMAC-SHA256 x"), {}, "IncompleteSignature"),
    ("no Credential", by_header().replace("Credential=", "C="), {}, "IncompleteSignature"),
    ("no names", by_header().replace("SignedHeaders=", "S="), {}, "IncompleteSignature"),
    ("no Signature", by_header().replace("Signature=", "S="), {}, "IncompleteSignature"),
    ("repeated part", by_header().replace("Signature=", "Signature=a, Signature="), {}, MALFORMED),
    ("unknown algorithm", by_header().replace("HMAC-SHA256", "HMAC-SHA512"), {}, MALFORMED),
    ("no algorithm", by_header().replace("AWS4-HMAC-SHA256 ", ""), {}, "IncompleteSignature"),
    ("credential without scope", by_header().replace("/20261122/", "!"), {}, MALFORMED),
    ("scope alone", by_header().replace("AKIDEXAMPLE/", "/"), {}, MALFORMED),
    ("wrong terminator", by_header().replace("aws4_request", "aws5_request"), {}, MALFORMED),
    ("scope goes on", by_header().replace("aws4_request", "aws4_request/x"), {}, MALFORMED),
    ("other service in scope", by_header().replace("/s3/", "/sts/"), {}, MALFORMED),
    ("other region in scope", by_header().replace("us-east-1/s3", "eu-west-1/s3"), {}, MALFORMED),
    ("another service's server", by_header(), {"service": "sts"}, MALFORMED),
    ("another region's server", by_header(), {"region": "eu-west-1"}, MALFORMED),
    ("scope's day before the date", by_header().replace("/20261122/", "/20261121/"), {}, MALFORMED),
    ("no date", by_header().without("x-amz-date"), {}, "IncompleteSignature"),
    ("empty date", by_header().but(x_amz_date=""), {}, "IncompleteSignature"),
    ("date of another form", by_header().but(x_amz_date="2026-11-22"), {}, MALFORMED),
    ("date of letters", by_header().but(x_amz_date="20261122Tabcdef"), {}, MALFORMED),
    ("thirteenth month", by_header().replace("20261122", "20261322"), {}, MALFORMED),
    ("future date", by_header(), {"at": AT - HOUR}, SKEWED),
    ("old date", by_header(), {"at": AT + HOUR}, SKEWED),
    ("S3 beyond 15 minutes", by_header(), {"at": AT + timedelta(seconds=901)}, SKEWED),
    (
        "others beyond 5 minutes",
        by_header(service="sts"),
        {"at": AT + timedelta(seconds=301), "service": "sts"},
        SKEWED,
    ),
    ("no tolerance", by_header(), {"at": AT + timedelta(seconds=1), "tolerance": 0}, SKEWED),
    ("unknown key", by_header(), {"secrets": {}}, "InvalidAccessKeyId"),
    ("unknown key to a function", by_header(), {"secrets": {}.get}, "InvalidAccessKeyId"),
    ("no token", by_header(TEMPORARY).without("x-amz-security-token"), {}, "InvalidToken"),
    ("other token", by_header(TEMPORARY).but(x_amz_security_token="x"), {}, "InvalidToken"),
    ("needless token", by_header().but(x_amz_security_token="x"), {}, "InvalidToken"),
    (
        "token left unsigned",
        by_header(TEMPORARY, sign_session_token=False),
        {},
        "AccessDenied",
    ),
    ("unsigned host", by_header().replace("host;", ""), {}, "AccessDenied"),
    ("unsigned date", by_header().replace(";x-amz-date", ""), {}, "AccessDenied"),
    ("unsigned x-amz header", by_header().but(x_amz_acl="public-read"), {}, "AccessDenied"),
    ("signed but absent", by_header().without("content-type"), {}, MISMATCH),
    ("unsorted names", by_header().replace("content-type;host", "host;content-type"), {}, MISMATCH),
    ("name twice", by_header().replace("host;", "host;host;"), {}, MISMATCH),
    ("name in capitals", by_header().replace("content-type;", "Content-Type;"), {}, MISMATCH),
    ("no hash for S3", by_header(content_sha256=False), {}, "MissingSecurityHeader"),
    ("invalid hash", by_header().but(x_amz_content_sha256="x"), {}, "InvalidArgument"),
    ("hash in capitals", by_header().but(x_amz_content_sha256="A" * 64), {}, "InvalidArgument"),
    ("other hash", by_header().but(x_amz_content_sha256="a" * 64), {}, MISMATCH),
    ("hash left out", by_header().but(x_amz_content_sha256="UNSIGNED-PAYLOAD"), {}, MISMATCH),
    ("other body", by_header().but(body=b"x"), {}, "XAmzContentSHA256Mismatch"),
    ("no body", by_header().but(body=b""), {}, "XAmzContentSHA256Mismatch"),
    ("other body, no S3", by_header(service="sts").but(body=b"x"), {"service": "sts"}, MISMATCH),
    ("method swap", by_header().but(method="DELETE"), {}, MISMATCH),
    ("method in lower case", by_header().but(method="put"), {}, MISMATCH),
    ("other path", by_header().replace("/a/b", "/a/c"), {}, MISMATCH),
    ("double slash on S3", by_header().replace("/a/b", "/a//b"), {}, MISMATCH),
    ("dot segment on S3", by_header().replace("/a/b", "/a/./b"), {}, MISMATCH),
    ("escaped otherwise on S3", by_header().replace("/a/b", "/%61/b"), {}, MISMATCH),
    ("other query", by_header().replace("x=1", "x=2"), {}, MISMATCH),
    ("one more pair", by_header().replace("x=1", "x=1&y"), {}, MISMATCH),
    ("one pair less", by_header().without("x"), {}, MISMATCH),
    ("other header", by_header().but(content_type="text/html"), {}, MISMATCH),
    ("other host", by_header().replace("my-bucket", "your-bucket"), {}, MISMATCH),
    ("other second", by_header().replace("T120000Z", "T120001Z"), {}, MISMATCH),
    ("other signature", by_header().replace("Signature=", "Signature=0"), {}, MISMATCH),
    ("signature not ASCII", by_header().replace("Signature=", "Signature=é"), {}, MISMATCH),
    ("wrong secret", by_header(Credentials("AKIDEXAMPLE", "wrong")), {}, MISMATCH),
    (
        "both kinds",
        by_url().but(**{k: v for k, v in by_header().headers.items() if k == "authorization"}),
        {},
        "InvalidArgument",
    ),
]

URL_REFUSALS = [
    *(
        (f"no {name}", by_url().without(f"X-Amz-{name}"), {}, BAD_QUERY)
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    ),
    (
        "neither key nor signature",
        by_url().without("X-Amz-Credential", "X-Amz-Signature"),
        {},
        "MissingAuthenticationToken",
    ),
    ("empty date", by_url().replace("Date=20261122T120000Z", "Date="), {}, BAD_QUERY),
    ("repeated parameter", by_url().replace("x=1", "x=1&X-Amz-Expires=9"), {}, BAD_QUERY),
    ("repeated, escaped", by_url().replace("x=1", "x=1&X%2DAmz-Expires=9"), {}, BAD_QUERY),
    ("unknown algorithm", by_url().replace("HMAC-SHA256", "HMAC-SHA1"), {}, BAD_QUERY),
    ("wrong terminator", by_url().replace("aws4_request", "aws4"), {}, BAD_QUERY),
    ("no scope", by_url().replace("%2F20261122%2F", "-"), {}, BAD_QUERY),
    ("another service's server", by_url(), {"service": "sts"}, BAD_QUERY),
    ("another region's server", by_url(), {"region": "eu-west-1"}, BAD_QUERY),
    ("date of another day", by_url().replace("Date=20261122", "Date=20261121"), {}, BAD_QUERY),
    ("date of letters", by_url().replace("T120000Z", "Tnoon"), {}, BAD_QUERY),
    ("negative expiry", by_url().replace("Expires=600", "Expires=-1"), {}, BAD_QUERY),
    ("expiry of 0", by_url().replace("Expires=600", "Expires=0"), {}, BAD_QUERY),
    ("expiry of letters", by_url().replace("Expires=600", "Expires=x"), {}, BAD_QUERY),
    ("expiry with a fraction", by_url().replace("Expires=600", "Expires=6.5"), {}, BAD_QUERY),
    ("other digits", by_url().replace("Expires=600", "Expires=%D9%A1"), {}, BAD_QUERY),
    ("expiry beyond a week", by_url().replace("Expires=600", "Expires=604801"), {}, BAD_QUERY),
    ("endless expiry", by_url().replace("Expires=600", "Expires=" + "9" * 5000), {}, BAD_QUERY),
    ("expired", by_url(), {"at": AT + timedelta(seconds=600)}, "RequestExpired"),
    ("of the future", by_url(), {"at": AT - HOUR}, SKEWED),
    ("longer expiry", by_url().replace("Expires=600", "Expires=601"), {}, MISMATCH),
    ("unknown key", by_url(), {"secrets": {}}, "InvalidAccessKeyId"),
    ("no token", by_url(TEMPORARY).without("X-Amz-Security-Token"), {}, "InvalidToken"),
    ("other token", by_url(TEMPORARY).replace("to-ken", "to-ken2"), {}, "InvalidToken"),
    ("token left unsigned", by_url(TEMPORARY, sign_session_token=False), {}, MISMATCH),
    ("unsigned host", by_url().replace("%3Bhost", ""), {}, "AccessDenied"),
    ("unsigned x-amz header", by_url().but(x_amz_acl="public-read"), {}, "AccessDenied"),
    ("signed but absent", by_url().without("content-type"), {}, MISMATCH),
    ("other header", by_url().but(content_type="text/html"), {}, MISMATCH),
    ("method swap", by_url().but(method="PUT"), {}, MISMATCH),
    ("altered path", by_url().replace("/a/b", "/a/c"), {}, MISMATCH),
    ("altered query", by_url().replace("prefix=c", "prefix=d"), {}, MISMATCH),
    ("one more pair", by_url().replace("x=1", "x=1&y"), {}, MISMATCH),
    ("altered signature", by_url().replace("Signature=", "Signature=0"), {}, MISMATCH),
    (
        "escaped signature name",
        by_url().replace("X-Amz-Signature", "X%2DAmz-Signature"),
        {},
        MISMATCH,
    ),
    ("wrong secret", by_url(Credentials("AKIDEXAMPLE", "wrong")), {}, MISMATCH),
    ("other body, no S3", by_url(service="sts").but(body=b"x"), {"service": "sts"}, MISMATCH),
]


@pytest.mark.parametrize(
    ("wire", "options", "code"),
    [
        pytest.param(*rest, id=f"{kind}: {what}")
        for kind, table in (("header", HEADER_REFUSALS), ("url", URL_REFUSALS))
        for what, *rest in table
    ],
)
def test_refusals(wire, options, code):
    """An invalid request is rejected with the expected error code, and the error has no secrets."""
    error = refusal(wire, **options)
    assert error.code == code
    for text in (str(error), repr(error)):
        assert "very-secret" not in text
        assert "to-ken" not in text


# Requests that differ in transit but have the same canonical request.
EQUIVALENT = [
    ("as sent", by_header(), "s3"),
    ("surrounding spaces", by_header().but(content_type="  text/plain \t"), "s3"),
    ("surrounding spaces of the date", by_header().but(x_amz_date=" 20261122T120000Z "), "s3"),
    ("names in capitals", by_header().without("content-type").but(CONTENT_TYPE="text/plain"), "s3"),
    ("order of the query", by_header().replace("prefix=c&x=1", "x=1&prefix=c"), "s3"),
    ("escapes of the query", by_header().replace("prefix=c", "pre%66ix=%63"), "s3"),
    ("empty pairs", by_header().replace("prefix=c&", "&prefix=c&&"), "s3"),
    ("headers that nobody signs", by_header().but(user_agent="x", via="1.1 proxy"), "s3"),
    ("no spaces in Authorization", by_header().replace(", ", ","), "s3"),
    ("more spaces in Authorization", by_header().replace(", ", "  ,   "), "s3"),
    ("double slash", by_header(service="sts").replace("/a/b", "/a//b"), "sts"),
    ("dot segments", by_header(service="sts").replace("/a/b", "/./a/x/../b"), "sts"),
    ("presigned", by_url(), "s3"),
    ("presigned, other body", by_url().but(body=b"x"), "s3"),
    ("presigned, order of the query", by_url().replace("prefix=c&x=1", "x=1&prefix=c"), "s3"),
    ("presigned, escapes", by_url().replace("%2F", "%2f"), "s3"),
    ("presigned for another service", by_url(service="sts"), "sts"),
    ("with token", by_header(TEMPORARY), "s3"),
    ("presigned with token", by_url(TEMPORARY), "s3"),
]


@pytest.mark.parametrize(
    ("wire", "service"), [pytest.param(*rest, id=what) for what, *rest in EQUIVALENT]
)
def test_equivalent_spellings(wire, service):
    """A changed request is accepted if its canonical request is the signed one."""
    assert wire.received(service=service).access_key_id in KNOWN


def test_verified_header():
    """For a signature in headers, `verify` returns the key ID, time, header names and payload hash."""
    verified = by_header().received()
    assert verified.access_key_id == KEY.access_key_id
    assert verified.signed_at == AT
    assert verified.expires_at is None
    assert verified.signed_headers == ("content-type", "host", HASH, "x-amz-date")
    assert verified.payload_hash == Payload.of(BODY).hash


def test_verified_url():
    """For a presigned S3 URL, `verify` returns the expiration and the unsigned-payload marker."""
    verified = by_url().received()
    assert verified.expires_at == AT + timedelta(seconds=600)
    assert verified.payload_hash == Payload.UNSIGNED.hash


def test_unsigned_payload():
    """If the signed payload hash is the marker of an unsigned payload, any body is accepted."""
    request = SignableRequest("PUT", URL, {}, Payload.UNSIGNED)
    added = Signer(SigV4("s3", "us-east-1")).sign(request, KEY, at=AT).headers
    verified = Wire("PUT", URL, added, b"other").received()
    assert verified.payload_hash == Payload.UNSIGNED.hash


def test_secrets_as_a_function():
    """*secrets* can be a function that returns the credentials for an access key ID."""
    assert by_header().received(secrets=KNOWN.get).access_key_id == KEY.access_key_id


@pytest.mark.parametrize(("service", "seconds"), [("s3", 900), ("sts", 300)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_tolerance(service, seconds, sign):
    """The clocks of sender and server may differ by 15 minutes for S3, and by 5 minutes otherwise."""
    at = AT + sign * timedelta(seconds=seconds)
    assert by_header(service=service).received(service=service, at=at).signed_at == AT


def test_tolerance_as_given():
    """A custom tolerance replaces the default."""
    assert by_header().received(at=AT + HOUR, tolerance=3600).signed_at == AT


def test_url_counts_until_its_end():
    """A presigned URL is valid until its expiration, regardless of the tolerance."""
    week = timedelta(days=7)
    wire = by_url(expires=604_800)
    assert wire.received(at=AT + week - timedelta(seconds=1)).expires_at == AT + week


def until(end):
    """Return *secrets* for `verify` in which the temporary key expires at *end*."""
    return {"ASIAEXAMPLE": Credentials("ASIAEXAMPLE", "very-secret", "to-ken", expiration=end)}


@pytest.mark.parametrize("wire", [by_header(TEMPORARY), by_url(TEMPORARY)], ids=["header", "url"])
def test_expired_credentials(wire):
    """If the key has expired, a valid signature is rejected as expired, and a wrong one as wrong."""
    second = timedelta(seconds=1)
    assert wire.received(secrets=until(AT + second)).signed_at == AT
    assert refusal(wire, secrets=until(AT)).code == "ExpiredToken"
    assert refusal(wire.replace("/a/b", "/a/c"), secrets=until(AT)).code == MISMATCH


def test_a_url_ends_with_its_key():
    """If the key that signed a presigned URL expires before the URL, the URL expires with the key."""
    end = AT + timedelta(seconds=60)
    assert by_url(TEMPORARY).received(secrets=until(end)).expires_at == end


@pytest.mark.parametrize("signer", [SigV4Auth, S3SigV4Auth])
def test_date_in_place_of_x_amz_date(signer):
    """A request may have a signed Date header, as botocore writes it, instead of x-amz-date."""
    request = AWSRequest("PUT", URL, {"Date": "x"}, BODY)
    service = "s3" if signer is S3SigV4Auth else "sts"
    request.context["timestamp"] = f"{AT:%Y%m%dT%H%M%SZ}"
    auth = signer(BotocoreCredentials("AKIDEXAMPLE", "very-secret"), service, "us-east-1")
    auth._modify_request_before_signing(request)
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(to_sign, request))
    wire = Wire("PUT", URL, {name.lower(): text for name, text in request.headers.items()})
    assert "x-amz-date" not in wire.headers
    assert wire.received(service=service).signed_at == AT
    assert refusal(wire.replace("date;", ""), service=service).code == "IncompleteSignature"
    assert refusal(wire.replace("12:00:00", "12:00:01"), service=service).code == MISMATCH
    for text in ("Sun, 31 Feb 2026 12:00:00 GMT", "noon", "Fri, 31 Dec 9999 23:59:59 -2359", ""):
        code = "IncompleteSignature" if not text else MALFORMED
        assert refusal(wire.but(date=text), service=service).code == code


def test_mismatch_shows_what_was_signed():
    """The error for a wrong signature contains the expected canonical request and string to sign."""
    signer = Signer(SigV4("s3", "us-east-1"))
    request = SignableRequest("PUT", URL, {"content-type": "text/html"}, Payload.of(BODY))
    expected = signer.sign(request, KEY, at=AT)
    error = refusal(by_header().but(content_type="text/html"))
    assert error.canonical_request == expected.canonical_request
    assert error.string_to_sign == expected.string_to_sign


def test_bytes_that_are_not_utf_8():
    """A header value that is not UTF-8 is verified with its bytes unchanged."""
    headers = [(b"X-Amz-Meta-A", b"\xff\xfe")]
    request = SignableRequest("PUT", URL, headers, Payload.of(BODY))
    added = Signer(SigV4("s3", "us-east-1")).sign(request, KEY, at=AT).headers
    arrived = SignableRequest("PUT", URL, [*headers, *added.items()], Payload.of(BODY))
    verified = verify(arrived, KNOWN, at=AT, service="s3", region="us-east-1")
    assert "x-amz-meta-a" in verified.signed_headers


def test_two_authorizations():
    """A request with two Authorization headers is rejected, even if one of them is valid."""
    wire = by_header()
    for pairs in (
        [("authorization", "x"), *wire.headers.items()],
        [*wire.headers.items(), ("Authorization", "x")],
    ):
        request = SignableRequest(wire.method, wire.url, pairs, Payload.of(wire.body))
        with pytest.raises(SignatureError) as caught:
            verify(request, KNOWN, at=AT, service="s3", region="us-east-1")
        assert caught.value.code == MALFORMED


@pytest.mark.parametrize("wire", [by_header(), by_url()], ids=["header", "url"])
def test_naive_instant(wire):
    """`verify` rejects a time *at* without a time zone."""
    with pytest.raises(ValueError, match="at must have a time zone"):
        wire.received(at=AT.replace(tzinfo=None))


SLASHED = Credentials("team/minio/key", "very-secret")


@pytest.mark.parametrize("send", [by_header, by_url])
def test_access_key_id_with_slashes(send):
    """An access key ID may contain slashes, as in MinIO."""
    wire = send(SLASHED)
    known = {SLASHED.access_key_id: SLASHED}
    assert wire.received(secrets=known).access_key_id == SLASHED.access_key_id
    assert refusal(wire).code == "InvalidAccessKeyId"
    for scope in ("us-east-1", "s3", "20261122"):
        malformed = refusal(wire.replace(scope, "x"), secrets=known)
        assert malformed.code in {MALFORMED, BAD_QUERY}


FROM_CLOUDFRONT = {"unsigned_headers": ["X-Amz-Cf-Id"]}


@pytest.mark.parametrize("send", [by_header, by_url])
def test_headers_that_a_proxy_adds(send):
    """A header in *unsigned_headers* need not be signed, and `signed_headers` does not contain it."""
    wire = send().but(x_amz_cf_id="added")
    assert refusal(wire).code == "AccessDenied"
    assert "x-amz-cf-id" not in wire.received(**FROM_CLOUDFRONT).signed_headers
    assert refusal(wire.but(x_amz_acl="a"), **FROM_CLOUDFRONT).code == "AccessDenied"
    assert refusal(wire.but(content_type="text/html"), **FROM_CLOUDFRONT).code == MISMATCH


def test_such_a_header_that_is_signed():
    """If the sender has signed a header in *unsigned_headers*, the header is verified."""
    wire = by_header(headers={"x-amz-cf-id": "mine"})
    assert "x-amz-cf-id" in wire.received(**FROM_CLOUDFRONT).signed_headers
    assert refusal(wire.but(x_amz_cf_id="other"), **FROM_CLOUDFRONT).code == MISMATCH
    assert refusal(wire.without("x-amz-cf-id"), **FROM_CLOUDFRONT).code == MISMATCH


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "x-amz-date",
        HASH,
        "x-amz-security-token",
        "x-amz-region-set",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
    ],
)
def test_headers_that_must_be_signed(name):
    """*unsigned_headers* must not contain headers that must always be signed."""
    with pytest.raises(ValueError, match=f"must not contain {name.lower()}, which must be signed"):
        by_header().received(unsigned_headers={name})


def test_unsigned_headers_as_a_str():
    """A single str as *unsigned_headers* is rejected."""
    with pytest.raises(TypeError, match="must be a collection of header names"):
        by_header().received(unsigned_headers="x-amz-cf-id")


@pytest.mark.parametrize("wire", [by_header(), by_url()], ids=["header", "url"])
def test_the_signature_is_told(wire):
    """`Verified` contains the request's signature, but its repr does not."""
    verified = wire.received()
    assert f"Signature={verified.signature}" in wire.url + str(wire.headers)
    assert verified.signature not in repr(verified)


FORGED_LINES = {
    "a repeated parameter": "x=1&X-Amz-%0A%1B[31mINFO=1&X-Amz-%0A%1B[31mINFO=2",
    "a known one": "x=1&X-Amz-%44ate=%0A%1B&X-Amz-Date=%0A%1B",
    "a date": "X-Amz-Algorithm=%0A%1B&x=1",
}


@pytest.mark.parametrize("query", FORGED_LINES.values(), ids=FORGED_LINES)
def test_a_refusal_is_one_line(query):
    """An error message is one printable line, even if the query has encoded control characters."""
    for wire in (by_url().replace("x=1", query), by_url().replace("600", "%0A%1B%C2%9B")):
        assert str(refusal(wire)).isprintable()


def test_unprintable_characters_are_escaped():
    """In an error message, only unprintable characters are escaped, such as line ends and ESC."""
    error = SignatureError("Code", "a\n\x1b[31m\x9b\u202e\udcff é")
    assert str(error) == r"Code: a\n\x1b[31m\x9b\u202e\udcff é"
    assert error.args == ("Code", error.message)
