"""Test the emulator with the transfer managers of boto3, in Python and in C."""

import io
import os
from urllib.request import Request, urlopen

import pytest
from awscrt.auth import AwsCredentialsProvider
from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup
from awscrt.s3 import S3Client, S3RequestTlsMode
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from s3transfer.crt import BotocoreCRTRequestSerializer, CRTTransferManager

from sagemaker_runtime_client.emulator import Faults

MIB = 1024 * 1024
SIZE = 40 * MIB + 12_345
CONFIG = TransferConfig(multipart_chunksize=5 * MIB, max_concurrency=8)
OBJECT = {"Bucket": "b", "Key": "folder/large é"}


@pytest.fixture(scope="module")
def content():
    """Return the content of a large object."""
    return os.urandom(SIZE)


@pytest.fixture
def file(content, tmp_path):
    """Return the path of a file with the content of a large object."""
    path = tmp_path / "large"
    path.write_bytes(content)
    return path


@pytest.fixture
def s3(emulator, boto):
    """Return a boto3 client that retries."""
    return boto(
        "s3", emulator, config=Config(signature_version="s3v4", retries={"total_max_attempts": 5})
    )


def operations(emulator):
    """Return how often each operation was requested."""
    names = [one.operation for one in emulator.requests]
    return {name: names.count(name) for name in sorted(set(names))}


def test_files(emulator, s3, content, file, tmp_path):
    """boto3 uploads a file in parts, and downloads it in ranges."""
    s3.upload_file(str(file), OBJECT["Bucket"], OBJECT["Key"], Config=CONFIG)
    target = tmp_path / "target"
    s3.download_file(OBJECT["Bucket"], OBJECT["Key"], str(target), Config=CONFIG)
    assert target.read_bytes() == content
    assert operations(emulator) == {
        "CompleteMultipartUpload": 1,
        "CreateMultipartUpload": 1,
        "GetObject": 9,
        "HeadObject": 1,
        "UploadPart": 9,
    }
    head = s3.head_object(**OBJECT, ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-9"')
    assert (head["ChecksumCRC32"][-2:], head["ChecksumType"]) == ("-9", "COMPOSITE")


def test_file_objects(emulator, s3, content):
    """boto3 uploads a stream in parts, and downloads it into another stream."""
    extra = {"Metadata": {"a": "b"}, "ChecksumAlgorithm": "SHA256"}
    s3.upload_fileobj(io.BytesIO(content), *OBJECT.values(), Config=CONFIG, ExtraArgs=extra)
    target = io.BytesIO()
    s3.download_fileobj(*OBJECT.values(), target, Config=CONFIG)
    assert target.getvalue() == content
    assert emulator.objects.get(f"s3://b/{OBJECT['Key']}").metadata == {"a": "b"}


def test_small_file(emulator, s3, tmp_path):
    """boto3 uploads a small file in one request."""
    (tmp_path / "small").write_bytes(b"small")
    s3.upload_file(str(tmp_path / "small"), "b", "k")
    assert operations(emulator) == {"PutObject": 1}


@pytest.mark.parametrize("fault", [Faults.SLOW_DOWN, Faults.RESET_WHILE_READ, Faults.NO_CONTINUE])
def test_faults_of_parts(emulator, s3, content, file, fault):
    """boto3 retries parts that fail."""
    emulator.faults.once(fault, times=2, on="UploadPart")
    s3.upload_file(str(file), *OBJECT.values(), Config=CONFIG)
    assert emulator.objects.get(f"s3://b/{OBJECT['Key']}").body == content


@pytest.mark.parametrize("fault", [Faults.SLOW_DOWN, Faults.RESET_IN_BODY, Faults.RESET_IN_HEAD])
def test_faults_of_ranges(emulator, s3, content, fault):
    """boto3 retries ranges that fail."""
    emulator.objects.put(f"s3://b/{OBJECT['Key']}", content)
    emulator.faults.once(fault, times=2, on="GetObject")
    target = io.BytesIO()
    s3.download_fileobj(*OBJECT.values(), target, Config=CONFIG)
    assert target.getvalue() == content


def test_denied_part(emulator, s3, file):
    """boto3 aborts an upload if a part is denied."""
    emulator.faults.once(Faults.ACCESS_DENIED, on="UploadPart")
    with pytest.raises(Exception, match="AccessDenied"):
        s3.upload_file(str(file), *OBJECT.values(), Config=CONFIG)
    assert operations(emulator)["AbortMultipartUpload"] == 1
    assert emulator.objects.list_uploads() == emulator.objects.list() == []


def test_replaced_object(emulator, s3, content):
    """A range of an object that was replaced is rejected, because boto3 sends its ETag."""
    emulator.objects.put("s3://b/k", content)
    etag = s3.head_object(Bucket="b", Key="k")["ETag"]
    emulator.objects.put("s3://b/k", content[:-1])
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.get_object(Bucket="b", Key="k", Range="bytes=0-9", IfMatch=etag)


def test_presigned_urls(s3):
    """Objects can be written and read with presigned URLs; a changed URL is rejected."""
    put = s3.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k é"})
    with urlopen(Request(put, b"body", {"content-type": ""}, method="PUT")) as response:
        assert response.status == 200
    override = {"ResponseContentType": "text/csv"}
    get = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k é", **override})
    with urlopen(get) as response:
        assert (response.read(), response.headers["content-type"]) == (b"body", "text/csv")
    with pytest.raises(Exception, match="403"):
        urlopen(get.replace("csv", "plain"))


def test_transfer_manager_in_c(emulator, boto, content, file, tmp_path):
    """Awscrt's transfer manager uploads a file in parts with trailers, and verifies a download."""
    boto("s3", emulator)
    keys = emulator.credentials
    provider = AwsCredentialsProvider.new_static(keys.access_key_id, keys.secret_access_key)
    group = EventLoopGroup(1)
    crt_client = S3Client(
        bootstrap=ClientBootstrap(group, DefaultHostResolver(group)),
        region=emulator.region,
        credential_provider=provider,
        part_size=5 * MIB,
        tls_mode=S3RequestTlsMode.DISABLED,
    )
    session = Session()
    options = {"region_name": emulator.region, "endpoint_url": emulator.url}
    serializer = BotocoreCRTRequestSerializer(session, options)
    target = tmp_path / "target"
    with CRTTransferManager(crt_client, serializer) as manager:
        manager.upload(str(file), "b", "k").result()
        manager.download("b", "k", str(target)).result()
    assert target.read_bytes() == content
    assert operations(emulator)["UploadPart"] == 9
