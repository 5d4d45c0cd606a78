"""Test the operations on many objects over real sockets, with every kind of client."""

from datetime import timedelta
from functools import partial
from itertools import islice

import httpx
import pytest
from botocore.session import Session

from sagemaker_runtime_client import ObjectNotFoundError
from tests.runtime_client.clients import settings

# Keys that XML, URLs or headers could change.
KEYS = ["in/a b+c%20d", "in/ü/ключ", "in/&<>\"'", "in/new\r\nline\ttab", "in/nul\0 \x1f", "in/z//"]
LOCATIONS = [f"s3://inputs/{key}" for key in KEYS]


@pytest.fixture
def client(driver, emulator):
    """A client of each kind that sends its requests to the emulator."""
    return driver.client(**settings(emulator))


@pytest.fixture
def plain_client(plain_driver, emulator):
    """A client of each kind with the built-in pool."""
    return plain_driver.client(**settings(emulator))


async def _take(objects, count):
    """Return the next objects of an async iterator."""
    found = []
    while len(found) < count:
        try:
            found.append(await anext(objects))
        except StopAsyncIteration:
            break
    return found


def take(client, objects, count=100):
    """Return the next objects of an iterator of any client."""
    if client.driver.kind.is_async:
        return client.driver.call(_take, objects, count)
    return client.driver.call(lambda: list(islice(objects, count)))


def listed(client, prefix="s3://inputs/in/", **arguments):
    """Return the locations of the objects below a prefix."""
    objects = client.itself.list_objects(prefix, **arguments)
    return [found.location for found in take(client, objects)]


def pages(emulator):
    """Return the number of pages that were requested."""
    return sum(one.operation == "ListObjectsV2" for one in emulator.requests)


def test_listing(client, emulator):
    """All objects below a prefix are listed, in pages, with their exact keys, sizes and tags."""
    stored = [client.put_object(location, location.encode()) for location in LOCATIONS]
    client.put_object("s3://inputs/other", b"")
    objects = take(client, client.itself.list_objects("s3://inputs/in/", page_size=4))
    assert [(found.location, found.size, found.etag) for found in objects] == sorted(
        (found.location, found.size, found.etag) for found in stored
    )
    assert pages(emulator) == 2


def test_break(client, emulator):
    """An iterator that was left continues where it was, and requests no page before it is needed."""
    for number in range(5):
        client.put_object(f"s3://inputs/in/{number}", b"")
    objects = client.itself.list_objects("s3://inputs/in/", page_size=2)
    assert pages(emulator) == 0
    assert len(take(client, objects, 2)) == 2
    assert pages(emulator) == 1
    assert [found.location[-1] for found in take(client, objects)] == ["2", "3", "4"]
    assert take(client, objects) == []


def test_start_after(plain_client):
    """A listing starts after a key or after an object, and ends after a number of objects."""
    for number in range(5):
        plain_client.put_object(f"s3://inputs/in/{number}", b"")
    for start in ("in/1", "s3://inputs/in/1"):
        assert listed(plain_client, start_after=start, max_objects=2) == [
            "s3://inputs/in/2",
            "s3://inputs/in/3",
        ]


def test_deletion(client):
    """Objects are deleted one by one or together, with any characters in their keys."""
    for location in LOCATIONS:
        client.put_object(location, b"")
    assert client.delete_object(LOCATIONS[0]) is None
    assert listed(client) == sorted(LOCATIONS[1:])
    assert client.delete_objects([*LOCATIONS, "s3://inputs/missing"]) == {}
    assert listed(client) == []
    with pytest.raises(ObjectNotFoundError):
        client.head_object(LOCATIONS[1])


def test_many(plain_client, emulator):
    """More objects than fit in a request are listed and deleted."""
    locations = [f"s3://inputs/in/{number}" for number in range(1100)]
    for location in locations:
        emulator.objects.put(location, b"")
    objects = plain_client.itself.list_objects("s3://inputs/in/")
    assert len(take(plain_client, objects, 2000)) == 1100
    assert plain_client.delete_objects(locations) == {}
    assert emulator.objects.list("s3://inputs/in/") == []
    assert pages(emulator) == 2
    assert sum(one.operation == "DeleteObjects" for one in emulator.requests) == 2


def test_presigning(client):
    """A URL writes an object with its headers and reads it, and nothing else."""
    put = client.presign_put(LOCATIONS[1], content_type="text/csv", metadata={"owner": "me"})
    with httpx.Client(trust_env=False) as anyone:
        send = partial(anyone.request, url=put.url, content=b"body")
        assert send("PUT", headers=dict(put.headers)).status_code == 200
        assert send("PUT", headers={**put.headers, "content-type": "text/x"}).status_code == 403
        found = client.head_object(LOCATIONS[1])
        assert (found.size, found.content_type, found.metadata) == (4, "text/csv", {"owner": "me"})
        get = client.presign_get(LOCATIONS[1], expires=60)
        assert anyone.get(str(get)).content == b"body"
        assert anyone.delete(str(get)).status_code == 403


def test_abort_uploads(client, emulator):
    """Uploads that were left are aborted if they are old enough, and only below the prefix."""
    keys = emulator.credentials
    s3 = Session().create_client(
        "s3",
        region_name=emulator.region,
        endpoint_url=emulator.url,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
    )
    client.put_object("s3://inputs/in/c", b"")
    ids = [
        s3.create_multipart_upload(Bucket="inputs", Key=key)["UploadId"]
        for key in ("in/a b", "in/c", "other")
    ]
    assert client.abort_uploads("s3://inputs/in/", older_than=timedelta(days=1)) == []
    aborted = client.abort_uploads("s3://inputs/in/", older_than=timedelta())
    assert [(upload.location, upload.upload_id) for upload in aborted] == [
        ("s3://inputs/in/a b", ids[0]),
        ("s3://inputs/in/c", ids[1]),
    ]
    left = s3.list_multipart_uploads(Bucket="inputs")["Uploads"]
    assert [upload["UploadId"] for upload in left] == [ids[2]]
    s3.close()
