"""Test downloading all objects below a prefix, some with keys that would lead out of the folder."""

from functools import partial

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    LocationNotAllowedError,
    ParamValidationError,
    SageMakerRuntimeClient,
    TargetError,
)
from sagemaker_runtime_client._s3.buckets import list_page
from sagemaker_runtime_client._s3.downloads import folder as downloads_folder
from sagemaker_runtime_client._s3.downloads.names import FileNames
from tests.runtime_client.clients import settings
from tests.runtime_client.s3.downloads.object_server import PART

BUCKET = "s3://bucket"
PREFIX = f"{BUCKET}/in/"


def put(emulator, *keys, size=0):
    """Store an object for each key; its content is the key, repeated."""
    with SageMakerRuntimeClient(**settings(emulator)) as client:
        for key in keys:
            body = key.encode() if size <= len(key) else (key.encode() * size)[:size]
            client.put_object(f"{BUCKET}/{key}", body)


def files(folder):
    """Return the content of each file below a folder, keyed by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def reasons(found):
    """Return the reasons for skipping objects, keyed by the part of their keys below the prefix."""
    return {one.location.removeprefix(PREFIX): one.reason for one in found.skipped}


def test_tree(driver, emulator, tmp_path):
    """Each object below the prefix is written to a file, in the folders that its key contains."""
    put(emulator, "in/a", "in/b/c", "in/b/d/file..txt", "in/b.txt", "other/a", "in/.hidden")
    found = driver.client(**settings(emulator)).download_all(PREFIX, tmp_path / "new" / "folder")
    assert files(tmp_path / "new" / "folder") == {
        "a": b"in/a",
        "b/c": b"in/b/c",
        "b/d/file..txt": b"in/b/d/file..txt",
        "b.txt": b"in/b.txt",
        ".hidden": b"in/.hidden",
    }
    assert found.skipped == ()
    assert [one.location for one in found.downloads] == sorted(
        f"{PREFIX}{name}" for name in files(tmp_path / "new" / "folder")
    )
    assert {one.verified for one in found.downloads} == {"CRC32"}


def test_many(plain_driver, emulator, tmp_path):
    """Small and large objects from several pages of the listing are downloaded."""
    put(emulator, *(f"in/{number:04}" for number in range(40)))
    put(emulator, "in/large", size=5 * PART)
    client = plain_driver.client(**settings(emulator))
    found = client.download_all(PREFIX, tmp_path, part_size=PART, concurrency=3)
    assert len(found.downloads) == len(files(tmp_path)) == 41
    assert len(files(tmp_path)["large"]) == 5 * PART


def test_beginning_of_names(plain_driver, emulator, tmp_path):
    """If the prefix ends in the middle of a name, the file names start after its last slash."""
    put(emulator, "in/a1", "in/a2/b", "in/b")
    plain_driver.client(**settings(emulator)).download_all(f"{PREFIX}a", tmp_path)
    assert sorted(files(tmp_path)) == ["a1", "a2/b"]


def test_whole_bucket(plain_driver, emulator, tmp_path):
    """If the prefix has no key, the whole bucket is downloaded, which may be empty."""
    client = plain_driver.client(**settings(emulator))
    put(emulator, "a", "b/c")
    client.download_all(BUCKET, str(tmp_path))
    assert sorted(files(tmp_path)) == ["a", "b/c"]
    assert client.download_all(PREFIX, tmp_path).downloads == ()


BAD_KEYS = {
    "": "it is a directory marker, not a file",
    "a/": "it is a directory marker, not a file",
    "/etc/passwd": "its name would be an absolute path",
    "a\0b": "its name contains a NUL character",
    "..\\x": "its name contains a backslash",
    "../x": 'its name contains "..", "." or "//"',
    "a/../../x": 'its name contains "..", "." or "//"',
    "..": 'its name contains "..", "." or "//"',
    "a/./b": 'its name contains "..", "." or "//"',
    "a//b": 'its name contains "..", "." or "//"',
    "C:/x": "its name contains a drive letter",
    "a/c:x": "its name contains a drive letter",
    "x" * 256: "its name, or that of a folder, has more than 255 bytes",
    f"{'ä' * 128}/b": "its name, or that of a folder, has more than 255 bytes",
}


@pytest.mark.parametrize(("path", "reason"), BAD_KEYS.items())
def test_bad_key(path, reason):
    """`assign` returns the reason why a dangerous or impossible key gets no file name."""
    assert FileNames("in/").assign(f"in/{path}") == reason


@pytest.mark.parametrize(
    "path", ["file..txt", "...", "ab:c", "12:30/x", "~", "-rf", " ", "ä" * 127, "a.part", "con"]
)
def test_good_key(path):
    """`assign` returns the names for a key that only looks dangerous."""
    assert FileNames("in/").assign(f"in/{path}") == tuple(path.split("/"))


def test_conflicts():
    """If a key needs the file or the folder of an earlier key, `assign` returns a reason."""
    names = FileNames("")
    assert names.assign("a") == ("a",)
    assert names.assign("a/b") == "a is a file, and not also a folder"
    assert names.assign("A") == "its name differs from a by case alone"
    assert names.assign("c/d") == ("c", "d")
    assert names.assign("C") == "its name is also that of a folder"
    assert names.assign("C/e") == ("C", "e")
    assert names.assign("\u00e4") == ("\u00e4",)
    assert names.assign("a\u0308") == "its name differs from ä by case alone"


def test_hostile_keys(plain_driver, emulator, tmp_path):
    """Each dangerous key is reported, the other objects are downloaded, and no other file appears."""
    folder = tmp_path / "a" / "folder"
    keys = ["../evil", "x/../../evil", "..\\evil", "C:evil", "good", "good/child", "Good", "x/y"]
    put(emulator, *(f"in/{key}" for key in keys))
    found = plain_driver.client(**settings(emulator)).download_all(PREFIX, folder)
    assert set(files(tmp_path)) == {"a/folder/Good", "a/folder/x/y"}
    assert set(reasons(found)) == set(keys) - {"Good", "x/y"}


def test_symbolic_links(plain_driver, emulator, tmp_path):
    """A folder that is a symbolic link is not followed; a link in place of a file is replaced."""
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "file").write_bytes(b"old")
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    put(emulator, "in/link/x", "in/link/new/x", "in/file")
    found = plain_driver.client(**settings(emulator)).download_all(PREFIX, folder)
    assert set(reasons(found)) == {"link/x", "link/new/x"}
    assert "is a symbolic link" in found.skipped[0].reason
    assert files(outside) == {"file": b"old"}
    assert (folder / "file").read_bytes() == b"in/file"


def test_existing_files(plain_driver, emulator, tmp_path):
    """A file that blocks a folder, or a folder that blocks a file, is reported; files are replaced."""
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").mkdir()
    (tmp_path / "c").write_bytes(b"old")
    put(emulator, "in/a/x", "in/b", "in/c")
    found = plain_driver.client(**settings(emulator)).download_all(PREFIX, tmp_path)
    assert set(reasons(found)) == {"a/x", "b"}
    assert files(tmp_path) == {"a": b"old", "c": b"in/c"}


def test_unwritable(plain_driver, emulator):
    """If the folder cannot be created, an error is raised before any request is sent."""
    before = len(emulator.requests)
    with pytest.raises(TargetError, match="folder /proc/x"):
        plain_driver.client(**settings(emulator)).download_all(PREFIX, "/proc/x")
    assert len(emulator.requests) == before


def test_failure(plain_driver, emulator, tmp_path):
    """If S3 responds with an error, download_all raises it."""
    put(emulator, "in/a", "in/b")
    client = plain_driver.client(**settings(emulator, expected_bucket_owner="000000000001"))
    with pytest.raises(AccessDeniedError):
        client.download_all(PREFIX, tmp_path)
    assert files(tmp_path) == {}


def test_allowed_locations(plain_driver, emulator, tmp_path):
    """A prefix is rejected unless it is inside the allowed locations."""
    put(emulator, "in/a", "other/a")
    client = plain_driver.client(**settings(emulator, allowed_locations=[PREFIX]))
    with pytest.raises(LocationNotAllowedError, match="prefix s3://bucket/other/ is outside"):
        client.download_all(f"{BUCKET}/other/", tmp_path)
    with pytest.raises(LocationNotAllowedError):
        client.download_all(BUCKET, tmp_path)
    client.download_all(PREFIX, tmp_path)
    assert files(tmp_path) == {"a": b"in/a"}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("in/", "folder"), "prefix"),
        ((PREFIX, None), "folder"),
        ((PREFIX, "a\0b"), "folder"),
        ((PREFIX, bytearray()), "folder"),
    ],
)
def test_arguments(plain_driver, emulator, arguments, name):
    """An invalid argument is rejected before anything is sent."""
    with pytest.raises(ParamValidationError) as caught:
        plain_driver.client(**settings(emulator)).download_all(*arguments)
    assert caught.value.argument == name


def test_pages(plain_driver, emulator, tmp_path, monkeypatch):
    """All pages of a listing are downloaded."""
    put(emulator, *(f"in/{number}" for number in range(3)))
    monkeypatch.setattr(downloads_folder, "list_page", partial(list_page, page_size=2))
    found = plain_driver.client(**settings(emulator)).download_all(PREFIX, tmp_path)
    assert len(found.downloads) == 3


def test_file_system_that_fails(plain_driver, emulator):
    """If a folder cannot be created for a reason that is not its name, the error is raised."""
    put(emulator, "in/a/b")
    with pytest.raises(TargetError, match="folder /proc"):
        plain_driver.client(**settings(emulator)).download_all(PREFIX, "/proc/self/fd")
