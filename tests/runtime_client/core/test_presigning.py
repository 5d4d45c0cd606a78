"""Tests of presign_get and presign_put."""

import pickle
from copy import copy
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import CredentialsError, ParamValidationError, PresignedURL, Response
from sigv4 import Credentials, Payload, SignableRequest, SignatureError, verify
from tests.runtime_client.s3.botocore_requests import Botocore
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    REGION,
    START,
    ScriptedIO,
    core,
    run,
    s3_error,
)

BOTOCORE = Botocore(
    s3={"addressing_style": "virtual"}
)  # with the path style, the host name would not contain the region
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
VALUES = st.none() | st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20
)
EXPIRES = st.integers(min_value=1, max_value=604_800)


def theirs(operation, expires, **arguments):
    """Return botocore's presigned URL, and scripted I/O whose clock shows the signing time of the
    URL.
    """
    url = BOTOCORE.client.generate_presigned_url(
        operation, Params={"Bucket": "bucket", **arguments}, ExpiresIn=expires
    )
    date = dict(parse_qsl(urlsplit(url).query))["X-Amz-Date"]
    io = ScriptedIO([])
    io.elapsed = (datetime.strptime(date, "%Y%m%dT%H%M%S%z") - START).total_seconds()
    return url, io


def compared(url):
    """Return the parts of a URL that tests compare, with the parameters sorted."""
    split = urlsplit(url)
    return split.scheme, split.netloc, split.path, sorted(split.query.split("&"))


@settings(deadline=None)  # the test must not fail on a busy machine
@given(key=KEYS, expires=EXPIRES, kind=VALUES, disposition=VALUES)
def test_get(key, expires, kind, disposition):
    """presign_get returns the URL that botocore returns, and sends nothing."""
    given_ = {"ResponseContentType": kind, "ResponseContentDisposition": disposition}
    arguments = {name: value for name, value in given_.items() if value is not None}
    url, io = theirs("get_object", expires, Key=key, **arguments)
    found = run(
        core(io).presign_get(
            f"s3://bucket/{key}",
            expires=expires,
            response_content_type=kind,
            response_content_disposition=disposition,
        )
    )
    assert compared(found.url) == compared(url)
    assert (found.method, found.headers) == ("GET", {})
    assert io.sent == []


@settings(deadline=None)  # the test must not fail on a busy machine
@given(key=KEYS, expires=EXPIRES, kind=VALUES, owner=VALUES)
def test_put(key, expires, kind, owner):
    """presign_put returns the URL that botocore returns, and the headers that must be sent with it."""
    kinds = {} if kind is None else {"ContentType": kind}
    metadata = {} if owner is None else {"owner": owner}
    url, io = theirs(
        "put_object",
        expires,
        Key=key,
        Metadata=metadata,
        ServerSideEncryption="aws:kms",
        IfNoneMatch="*",
        **kinds,
    )
    found = run(
        core(io).presign_put(
            f"s3://bucket/{key}",
            expires=expires,
            content_type=kind,
            metadata=metadata,
            if_none_match="*",
            server_side_encryption="aws:kms",
        )
    )
    assert compared(found.url) == compared(url)
    assert found.method == "PUT"
    assert found.headers == {
        **({} if kind is None else {"content-type": kind}),
        **({} if owner is None else {"x-amz-meta-owner": owner}),
        "if-none-match": "*",
        "x-amz-server-side-encryption": "aws:kms",
    }


def check(found, headers, *, at=START):
    """Verify the signature of a request that uses a presigned URL with these headers."""
    request = SignableRequest(found.method, found.url, headers, Payload.of(b"any body"))
    known = {CREDENTIALS.access_key_id: CREDENTIALS}
    return verify(request, known, at=at, service="s3", region=REGION)


def test_the_headers_are_signed():
    """The URL of presign_put is valid only if all headers that it returns are sent."""
    found = run(
        core(ScriptedIO([])).presign_put(
            "s3://bucket/key", content_type="a/b", metadata={"a": "b"}, tagging={"c": "d"}
        )
    )
    assert len(found.headers) == 3
    check(found, found.headers)
    for name in found.headers:
        others = {known: value for known, value in found.headers.items() if known != name}
        with pytest.raises(SignatureError):
            check(found, others)


def test_the_owner():
    """With expected_bucket_owner, presign_get returns the owner's header, which must be sent."""
    client = core(ScriptedIO([]), expected_bucket_owner="123456789012")
    found = run(client.presign_get("s3://bucket/key"))
    assert found.headers == {"x-amz-expected-bucket-owner": "123456789012"}
    check(found, found.headers)


def test_expiry():
    """A presigned URL expires after the requested time, or earlier if the credentials expire."""
    found = run(core(ScriptedIO([])).presign_get("s3://bucket/key", expires=60))
    assert found.expires_at == START + timedelta(seconds=60)
    end = START + timedelta(seconds=30)
    keys = Credentials("AKIDEXAMPLE", "secret", "token", end)
    found = run(core(ScriptedIO([]), keys).presign_get("s3://bucket/key", expires=60))
    assert found.expires_at == end
    assert "X-Amz-Expires=60" in found.url


def test_expired_credentials():
    """If the credentials have expired, presign_get raises an error."""
    keys = Credentials("AKIDEXAMPLE", "secret", "token", START)
    with pytest.raises(CredentialsError):
        run(core(ScriptedIO([]), keys).presign_get("s3://bucket/key"))


def test_the_region_and_the_clock():
    """Presigning uses the bucket's region and the clock correction that earlier responses caused."""
    skewed = s3_error(
        403, "RequestTimeTooSkewed", headers=[("date", "Sun, 22 Nov 2026 12:00:00 GMT")]
    )
    elsewhere = Response(301, {"x-amz-bucket-region": "eu-north-1"})
    io = ScriptedIO([skewed, elsewhere, Response(200, ())], clock_error=3600)
    client = core(io)
    run(client.head_object("s3://bucket/key"))
    found = run(client.presign_get("s3://bucket/key"))
    assert found.url.startswith("https://bucket.s3.eu-north-1.amazonaws.com/key?")
    assert found.expires_at == START + timedelta(hours=1)


def test_secrecy():
    """A presigned URL can be read only by ``url`` and ``str``, and cannot be pickled or copied."""
    found = run(core(ScriptedIO([])).presign_put("s3://bucket/key", tagging={"a": "b"}))
    assert str(found) == found.url
    assert repr(found) == f"PresignedURL(method='PUT', expires_at={found.expires_at!r})"
    for duplicate in (copy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            duplicate(found)
    same = PresignedURL(found.url, found.method, dict(found.headers), found.expires_at)
    assert len({found, same}) == 1


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("location", {"location": "s3://bucket"}),
        *[("expires", {"expires": value}) for value in (0, 604_801, 60.0, True, None)],
        ("content_type", {"content_type": "a/b\n"}),
        ("metadata", {"metadata": {"": ""}}),
        ("if_none_match", {"if_none_match": "tag"}),
        ("tagging", {"tagging": "a=b"}),
        ("timeout", {"timeout": -1}),
    ],
)
def test_invalid(argument, arguments):
    """presign_put rejects an invalid argument."""
    with pytest.raises(ParamValidationError) as caught:
        run(core(ScriptedIO([])).presign_put(**{"location": "s3://bucket/key", **arguments}))
    assert caught.value.argument == argument


@pytest.mark.parametrize("method", ["presign_get", "presign_put"])
def test_a_url_works_until_it_expires(method):
    """A presigned URL is valid until the requested number of seconds has passed."""
    found = run(getattr(core(ScriptedIO([])), method)("s3://bucket/key", expires=60))
    check(found, {}, at=START + timedelta(seconds=59))
    with pytest.raises(SignatureError):
        check(found, {}, at=START + timedelta(seconds=60))
    assert found.expires_at.tzinfo is UTC
