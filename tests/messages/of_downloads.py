"""Messages about downloads: their arguments, their targets, and the responses of S3."""

import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client._s3.downloads.names import FileNames
from sagemaker_runtime_client.emulator import Emulator
from tests.messages.picking import PickedError, pick_line
from tests.runtime_client.clients import pointed_at, settings
from tests.runtime_client.s3.downloads import faults
from tests.runtime_client.s3.downloads.object_server import ObjectServer, crc32, head

# The files and folders of the product whose messages must all be in a table.
COVERED = (
    "runtime_client/sagemaker_runtime_client/_io/targets",
    "runtime_client/sagemaker_runtime_client/_s3/downloads",
)

LOCATION = "s3://bucket/key"


def download(target=None, body=b"body", respond=None, checksum=crc32, faulty=None, **options):
    """Download an object from a test server."""
    server = ObjectServer(body, checksum, faulty)
    server.respond = respond or server.respond
    with server, SageMakerRuntimeClient(**pointed_at(server, read_timeout=1)) as client:
        client.download(LOCATION, bytearray() if target is None else target, **options)


def download_to(make, **options):
    """Download to the path that *make* returns; replace its folder in the message by ``DIR``."""
    with TemporaryDirectory() as folder:
        try:
            download(make(Path(folder)), **options)
        except Exception as error:
            error.message = error.message.replace(folder, "DIR")
            raise


def pipe_in_place_of_data(folder):
    """Return a path for which a pipe is in place of the file with the stored data."""
    os.mkfifo(folder / ".out.part")
    return folder / "out"


def twice(folder):
    """Return a path to which another download is in progress."""

    def on_progress(_done, _total):
        download(folder / "out", resume=True)

    download(folder / "out", resume=True, on_progress=on_progress)


def assign(*keys):
    """Return the reason why the last of *keys* has no file name."""
    names = FileNames("")
    return [names.assign(key) for key in keys][-1]


def enter_twice():
    """Enter the context manager of `open` twice."""
    with ObjectServer(b"") as server, SageMakerRuntimeClient(**pointed_at(server)) as client:
        context = client.open(LOCATION)
        for _ in range(2):
            with context:
                pass


class Busy(io.RawIOBase):
    """A file that accepts no data at the moment."""

    def writable(self):
        return True

    def write(self, _data):
        return None


def closed_file():
    """Return a closed file."""
    file = io.BytesIO()
    file.close()
    return file


def cut_early(response, connection):
    """Send the beginning of a response without Content-Length, and close the connection."""
    connection.sendall(response.replace(b"Content-Length: 4\r\n", b"")[:-2])


def download_all(make, key="x"):
    """Download a bucket with one object to the folder that *make* returns."""
    with (
        Emulator() as emulator,
        SageMakerRuntimeClient(**settings(emulator)) as client,
        TemporaryDirectory() as folder,
    ):
        client.put_object(f"s3://bucket/{key}", b"")
        found = client.download_all("s3://bucket", make(Path(folder)))
        raise PickedError(found.skipped[0].reason.replace(folder, "DIR"))


def folder_with_link(folder):
    """Return a folder that contains a symbolic link."""
    (folder / "link").symlink_to(folder)
    return folder


def folder_with_folder(folder):
    """Return a folder that contains another folder."""
    (folder / "x").mkdir()
    return folder


MESSAGES = [
    # Folders.
    (lambda: download_all(lambda _: None), "folder must be a path, not NoneType"),
    (
        lambda: download_all(folder_with_link, "link/x"),
        "folder DIR: a folder in it is a symbolic link",
    ),
    (
        lambda: download_all(folder_with_folder),
        "folder DIR: a folder has the name of the file",
    ),
    (lambda: download_all(Path, "a/"), "it is a directory marker, not a file"),
    (lambda: FileNames("").assign("/x"), "its name would be an absolute path"),
    (lambda: FileNames("").assign("\0"), "its name contains a NUL character"),
    (lambda: FileNames("").assign("\\"), "its name contains a backslash"),
    (lambda: FileNames("").assign(".."), 'its name contains "..", "." or "//"'),
    (lambda: FileNames("").assign("C:"), "its name contains a drive letter"),
    (
        lambda: FileNames("").assign("x" * 256),
        "its name, or that of a folder, has more than 255 bytes",
    ),
    (lambda: assign("a", "A"), "its name differs from a by case alone"),
    (lambda: assign("a/b", "a"), "its name is also that of a folder"),
    (lambda: assign("a", "a/b"), "a is a file, and not also a folder"),
    # Arguments.
    (
        lambda: download(target=b"x"),
        "target must be a path, an open binary file, a bytearray or a memoryview, not bytes",
    ),
    (lambda: download(target="a\0"), "target must be a path without NUL characters"),
    (
        lambda: download(resume=True),
        "target must be a path with resume=True, not bytearray",
    ),
    (
        lambda: download(memoryview(b"")),
        "target must be a memoryview that is writable and contiguous",
    ),
    (
        lambda: download(io.StringIO()),
        "target must be open in binary mode, such as 'wb', not in text mode",
    ),
    (lambda: download(closed_file()), "target must be open, not closed"),
    (
        lambda: download(io.BufferedReader(io.BytesIO())),
        "target must be open for writing, such as in mode 'wb'",
    ),
    (
        lambda: download(part_size=1),
        "part_size must be a whole number of bytes, from 65,536 to 5,368,709,120",
    ),
    (
        lambda: download(concurrency=0),
        "concurrency must be a whole number of parts, from 1 to 256",
    ),
    (
        lambda: download(on_progress=1),
        "on_progress must be a plain function of two numbers, not an async one",
    ),
    (enter_twice, "the context of an object can be entered once: call open again"),
    # Targets.
    (
        lambda: download(memoryview(bytearray(2))),
        "target has 2 bytes, but the object has 4: pass more memory",
    ),
    (lambda: download(Busy()), "target: the file must block until it accepts data"),
    (
        lambda: download_to(lambda folder: folder / "a" / "b"),
        "target DIR/a/b: No such file or directory",
    ),
    (lambda: download_to(lambda folder: folder), "target DIR is a folder, not a file"),
    (
        lambda: download("/dev/null"),
        "target /dev/null is not a regular file: open it, and pass the open file",
    ),
    (
        lambda: download_to(pipe_in_place_of_data, resume=True),
        "target DIR/out: DIR/.out.part is not a regular file: remove it",
    ),
    (
        lambda: download_to(twice),
        "target DIR/out: another download to this path is in progress",
    ),
    (
        lambda: download(Path("/dev/full").open("wb", buffering=0)),  # noqa: SIM115
        "target: the disk is full",
    ),
    # Responses.
    (
        lambda: download(max_size=3),
        "s3://bucket/key: the object has 4 bytes, more than max_size=3",
    ),
    (
        lambda: pick_line(lambda: download(checksum=lambda _: {}), "s3://bucket/key: not"),
        (
            "s3://bucket/key: not verified: S3 has no checksum of the whole object that can be "
            "computed here"
        ),
    ),
    (
        lambda: pick_line(lambda: download(checksum=lambda _: crc32(b"")), "s3://bucket/key: the"),
        (
            "s3://bucket/key: the object was damaged in transit: its CRC32 differs from the one that "
            "S3 sent (status 206); downloading the object again"
        ),
    ),
    (
        lambda: pick_line(lambda: download(faulty={0: cut_early}), "s3://bucket/key: req"),
        (
            "s3://bucket/key: requesting the rest after 2 bytes: s3://bucket/key: the response ended "
            "after 2 bytes of 4"
        ),
    ),
    (
        lambda: download(respond=lambda _: head(412, 0)),
        "s3://bucket/key: the object was replaced while it was being read",
    ),
    (
        lambda: download(respond=lambda _: head(204, 0)),
        "s3://bucket/key: the response of S3 states no size",
    ),
    (
        lambda: download(respond=lambda _: head(206, 4, {"Content-Range": "bytes 1-4/5"})),
        "s3://bucket/key: the response of S3 contains another range than the requested one",
    ),
    (
        lambda: download(faulty={0: faults.deny}),
        "s3://bucket/key: the service responded with status 403 and no message",
    ),
]
