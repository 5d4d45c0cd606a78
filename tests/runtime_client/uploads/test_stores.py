"""Test uploads to several stores over http and https, and read the objects with boto3."""

import os
from contextlib import ExitStack

import boto3
import pytest
from attrs import frozen
from botocore.config import Config

from sigv4 import Credentials
from tests import moto_server
from tests.runtime_client.clients import settings
from tests.runtime_client.loopback import Loopback, in_front_of

MIB = 1 << 20
CONTENT = os.urandom(MIB) * 17 + b"end"
BUCKET, KEY = "uploads", "a key/ü"
LOCATION = f"s3://{BUCKET}/{KEY}"
REGION = "us-east-1"


@frozen
class Place:
    """A store: its URL, the credentials for it, and the type of checksum that it supports."""

    url: str
    credentials: Credentials
    checksum_type: str | None = "FULL_OBJECT"


@pytest.fixture(scope="module")
def moto():
    """The URL of a moto server that runs in another process."""
    with moto_server.running() as url:
        yield url


@pytest.fixture(params=["emulator", "moto", "ministack"])
def place(request):
    """One of the stores."""
    if request.param == "emulator":
        emulator = request.getfixturevalue("emulator")
        return Place(emulator.url, emulator.credentials)
    if request.param == "moto":
        credentials = Credentials("AKIDEXAMPLE", "unchecked")
        return Place(request.getfixturevalue("moto"), credentials)
    ministack = request.getfixturevalue("ministack")
    return Place(ministack.url, ministack.user)


@pytest.fixture
def boto(place):
    """A boto3 client for the store, in which the bucket exists."""
    client = boto3.client(
        "s3",
        endpoint_url=place.url,
        region_name=REGION,
        aws_access_key_id=place.credentials.access_key_id,
        aws_secret_access_key=place.credentials.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.delete_object(Bucket=BUCKET, Key=KEY)
    client.close()


def _client(driver, place, url, **changes):
    return driver.client(
        region=REGION, credentials=place.credentials, s3_endpoint_url=url, **changes
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("size", [5, 2 * MIB, len(CONTENT)], ids=str)
def test_boto3_reads(plain_driver, place, boto, certificate, tmp_path, size, scheme):
    """boto3 can read an object that was uploaded to any of the stores, and can verify its checksum."""
    path = tmp_path / "source"
    path.write_bytes(CONTENT[:size])
    with ExitStack() as stack:
        url, options = place.url, {}
        if scheme == "https":
            front = stack.enter_context(Loopback(in_front_of(place.url), certificate[1]))
            url, options = front.url, {"ca_bundle": certificate[0]}
        client = _client(plain_driver, place, url, **options)
        stored = client.upload(
            LOCATION,
            path,
            content_type="text/csv",
            metadata={"owner": "me"},
            cache_control="no-store",
        )
    found = boto.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")
    assert found["Body"].read() == CONTENT[:size]
    assert (found["ETag"], found["ContentLength"]) == (stored.etag, size)
    assert (found["ContentType"], found["Metadata"]) == ("text/csv", {"owner": "me"})
    assert found["CacheControl"] == "no-store"
    assert found.get("ContentEncoding", "") in {"", "aws-chunked"}
    assert boto.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


@pytest.mark.parametrize("size", [2 * MIB, len(CONTENT)], ids=str)
def test_every_client(driver, emulator, certificate, tmp_path, size):
    """Each kind of client, also with a user-supplied HTTP client, can upload over https."""
    path = tmp_path / "source"
    path.write_bytes(CONTENT[:size])
    with Loopback(in_front_of(emulator.url), certificate[1]) as front:
        given = settings(emulator, s3_endpoint_url=front.url, ca_bundle=certificate[0])
        client = driver.client(**given)
        seen = []
        client.upload("s3://bucket/key", path, on_progress=lambda *sent: seen.append(sent))
        assert client.get_object("s3://bucket/key").body == CONTENT[:size]
    assert seen[-1] == (size, size)
    forms = {
        request.header("x-amz-content-sha256")
        for request in front.requests
        if request.method == "PUT"
    }
    assert forms == {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
