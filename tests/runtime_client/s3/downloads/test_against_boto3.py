"""Test reading objects that boto3 has written, and verifying those for which S3 has a checksum."""

import io

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from tests.runtime_client.clients import settings
from tests.runtime_client.s3.downloads.object_server import content

BODY = content((11 << 20) + 5)
PART = 5 << 20


@pytest.fixture
def s3(emulator):
    """A boto3 client for the emulator."""
    credentials = emulator.credentials
    client = boto3.client(
        "s3",
        region_name=emulator.region,
        endpoint_url=emulator.url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        config=Config(s3={"addressing_style": "path"}),
    )
    yield client
    client.close()


def download(driver, emulator, folder):
    """Download the object in parts, and return its content and the algorithm that verified it."""
    client = driver.client(**settings(emulator))
    found = client.download("s3://bucket/key", folder / "out", part_size=1 << 20)
    return (folder / "out").read_bytes(), found.verified


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_whole(plain_driver, emulator, s3, algorithm, tmp_path):
    """An object that boto3 has written in one request is verified by its checksum."""
    s3.put_object(Bucket="bucket", Key="key", Body=BODY, ChecksumAlgorithm=algorithm)
    assert download(plain_driver, emulator, tmp_path) == (BODY, algorithm)


def test_parts(plain_driver, emulator, s3, tmp_path):
    """An object that boto3 has written in parts has only a composite checksum, and is not verified."""
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(BODY), "bucket", "key", Config=config)
    assert download(plain_driver, emulator, tmp_path) == (BODY, None)


def test_parts_with_checksum_of_the_whole(plain_driver, emulator, tmp_path):
    """An object that this package has written in parts is verified by the CRC32 of its content."""
    client = plain_driver.client(**settings(emulator))
    client.upload("s3://bucket/key", BODY, part_size=PART)
    assert download(plain_driver, emulator, tmp_path) == (BODY, "CRC32")


@pytest.mark.parametrize("size", [0, 1, len(BODY)])
def test_open(emulator, s3, size):
    """`open` can read an object of any size that boto3 has written."""
    from sagemaker_runtime_client import SageMakerRuntimeClient

    s3.put_object(Bucket="bucket", Key="key", Body=BODY[:size], ChecksumAlgorithm="CRC32")
    client = SageMakerRuntimeClient(**settings(emulator))
    with client, client.open("s3://bucket/key") as body:
        assert (body.read(), body.verified) == (BODY[:size], "CRC32")
