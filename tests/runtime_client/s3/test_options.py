"""Tests of the options of put_object, such as encryption, tags and the storage class."""

import logging
from html import escape
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import ObjectOptions, ParamValidationError, Response, ServiceError
from sagemaker_runtime_client._s3.options import to_headers
from tests.runtime_client.s3.botocore_requests import Botocore, sent_parts
from tests.runtime_client.scripted_io import ScriptedIO, core, run, s3_error

BOTOCORE = Botocore(request_checksum_calculation="when_required")
CONTEXT = {"project": "geheim", "größe": "1"}
TAGGING = {"team": "a&b c", "ключ": "="}
OPTIONS = {
    "server_side_encryption": "aws:kms",
    "sse_kms_key_id": "alias/mine",
    "bucket_key_enabled": True,
    "encryption_context": CONTEXT,
    "content_encoding": "gzip",
    "cache_control": "max-age=60",
    "content_disposition": 'attachment; filename="a.csv"',
    "tagging": TAGGING,
    "storage_class": "STANDARD_IA",
}
STORED = Response(200, {"etag": '"e"'})


def put(io, **options):
    """Write an object with these options, and without a checksum."""
    return run(
        core(io, request_checksum_calculation="when_required").put_object(
            "s3://bucket/key", b"body", **options
        )
    )


def test_headers():
    """put_object sends each option in the same header as botocore."""
    io = ScriptedIO([STORED])
    put(io, **OPTIONS)
    expected = BOTOCORE.request(
        "put_object",
        Key="key",
        Body=b"body",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="alias/mine",
        BucketKeyEnabled=True,
        SSEKMSEncryptionContext="eyJwcm9qZWN0IjoiZ2VoZWltIiwiZ3JcdTAwZjZcdTAwZGZlIjoiMSJ9",
        ContentEncoding="gzip",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a.csv"',
        Tagging="team=a%26b%20c&%D0%BA%D0%BB%D1%8E%D1%87=%3D",
        StorageClass="STANDARD_IA",
    )
    assert sent_parts(io.sent[0]) == expected
    assert len(to_headers(OPTIONS)) == len(ObjectOptions.__optional_keys__) == len(OPTIONS)


def test_signed():
    """The x-amz headers of the options are signed, so that nobody can remove them in transit."""
    io = ScriptedIO([STORED])
    put(io, **OPTIONS)
    own = {name for name, _ in to_headers(OPTIONS) if name.startswith("x-amz-")}
    assert len(own) == 6
    assert own <= set(io.sent[0].verify("s3").signed_headers)


def test_none():
    """An option that is None is not sent."""
    assert to_headers(dict.fromkeys(OPTIONS)) == ()


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=10))
def test_tags(tags):
    """Valid tags are encoded so that decoding returns them unchanged; half a surrogate pair is
    rejected.
    """
    try:
        ((_, value),) = to_headers({"tagging": tags})
    except ParamValidationError:
        assert any("\ud800" <= character <= "\udfff" for character in str(tags))
    else:
        assert dict(parse_qsl(value, keep_blank_values=True)) == tags


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("server_side_encryption", {"server_side_encryption": ""}),
        ("server_side_encryption", {"server_side_encryption": "aws:kms\r\nx: y"}),
        ("server_side_encryption", {"server_side_encryption": True}),
        ("sse_kms_key_id", {"sse_kms_key_id": "k"}),
        ("sse_kms_key_id", {"sse_kms_key_id": "k", "server_side_encryption": "AES256"}),
        ("bucket_key_enabled", {"bucket_key_enabled": "true"}),
        (
            "bucket_key_enabled",
            {"bucket_key_enabled": True, "server_side_encryption": "AES256"},
        ),
        ("encryption_context", {"encryption_context": {"a": "b"}}),
        *[
            (
                "encryption_context",
                {"encryption_context": context, "server_side_encryption": "aws:kms"},
            )
            for context in ("a", ["a"], {"a": 1}, {1: "a"}, {"a": "b" * 7000})
        ],
        ("content_encoding", {"content_encoding": "gzip "}),
        ("cache_control", {"cache_control": "größe"}),
        ("content_disposition", {"content_disposition": b"a"}),
        *[
            ("tagging", {"tagging": tags})
            for tags in (
                "a=b",
                {"a": None},
                {"": "a"},
                {"a" * 129: "a"},
                {"a": "a" * 257},
                {str(number): "a" for number in range(11)},
                {"a": "\ud800"},
            )
        ],
        ("storage_class", {"storage_class": "STANDARD\n"}),
    ],
)
def test_invalid(argument, options):
    """An invalid option raises an error that names the argument, before anything is sent."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError) as caught:
        put(io, **options)
    assert caught.value.argument == argument
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert io.sent == []


def test_bucket_key_of_the_bucket():
    """bucket_key_enabled may be passed without an encryption, because the bucket may have a default
    one.
    """
    ((_, value),) = to_headers({"bucket_key_enabled": False})
    assert value == "false"


def test_unknown():
    """An unknown option raises a TypeError, which suggests the right name for one of boto3's names."""
    io = ScriptedIO([])
    with pytest.raises(TypeError) as caught:
        put(io, ServerSideEncryption="AES256", acl="private")
    assert str(caught.value) == (
        "put_object does not accept ServerSideEncryption, acl; use server_side_encryption instead "
        "of ServerSideEncryption"
    )


def test_secrets(caplog):
    """If S3 repeats the encryption context or the tags, no error and no log line contains them."""
    caplog.set_level(logging.DEBUG)
    context, tags = (
        value for name, value in to_headers(OPTIONS) if name.endswith(("-context", "tagging"))
    )
    io = ScriptedIO([s3_error(400, "InvalidTag", f"wrong: {escape(tags)} or {context}")])
    with pytest.raises(ServiceError) as caught:
        put(io, **OPTIONS)
    assert str(caught.value).startswith("s3://bucket/key: wrong: ... or ...")
    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert context not in text
        assert tags not in text
        assert "geheim" not in text
