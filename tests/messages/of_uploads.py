"""Messages about uploads: their sources, their arguments, and parts that remain after a failure."""

from errno import EMFILE
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from sagemaker_runtime_client import RuntimeClientError
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.sources.opened import open_source
from sagemaker_runtime_client._s3.objects import S3Location
from tests.runtime_client.scripted_io import ACCESS_DENIED, ScriptedIO, core
from tests.runtime_client.uploads.store import MIB, Store, upload
from tests.runtime_client.uploads.test_failures import Unanswered

COVERED = ()  # `of_core`, `of_io` and `of_s3` cover the folders


def _note(store):
    """Raise an error whose message is the note of the error that an upload to *store* raises."""
    try:
        upload(store)
    except RuntimeClientError as error:
        raise ValueError(error.__notes__[0]) from None


def _changed(change):
    """Open a file as the source of an upload, call *change* with its path, and then read it."""

    async def read():
        source = await open_source(sync_backend(), path, "source")
        try:
            change(path)
            [_ async for _ in source.region(0, 12).chunks()]
            await source.check()
        finally:
            await source.close()

    with TemporaryDirectory() as folder:
        path = Path(folder, "scan.tif")
        path.write_bytes(bytes(12))
        run(read())


def _no_descriptor():
    with patch("builtins.open", side_effect=OSError(EMFILE, "Too many open files")):
        run(open_source(sync_backend(), Path("scan.tif"), "source"))


def _too_many():
    with patch("sagemaker_runtime_client._s3.uploads.parts.MAX_PARTS", 1):
        upload(Store(), iter([bytes(12 * MIB)]))


def _kept_input():
    operations = core(ScriptedIO([ACCESS_DENIED]))

    async def delete():
        session = await operations._session()
        await operations._delete_input(session.s3, S3Location("bucket", "in/1"))

    run(delete())


MESSAGES = [
    (
        lambda: upload(Store(), "scan.tif"),
        "source must be bytes, a path, an open binary file, or an iterator of bytes, not str",
    ),
    (
        lambda: upload(Store(), Path("/absent/scan.tif")),
        "source cannot be opened: No such file or directory",
    ),
    (
        _no_descriptor,
        (
            "source cannot be opened: too many open files; close some, raise the limit (ulimit -n) or "
            "lower max_connections"
        ),
    ),
    (
        lambda: _changed(lambda path: path.write_bytes(bytes(5))),
        (
            "scan.tif became shorter while it was uploaded: 12 bytes were expected, and it ended after "
            "5"
        ),
    ),
    (
        lambda: _changed(lambda path: path.write_bytes(bytes(15))),
        (
            "scan.tif changed while it was uploaded: it had 12 bytes, and now has 15, or another program "
            "wrote to it"
        ),
    ),
    (
        lambda: upload(Store(), iter(["text"])),
        "the source of the upload returned str instead of bytes",
    ),
    (
        _too_many,
        (
            "the source of the upload has more than 1 parts of 5,242,880 bytes: pass a larger part_size"
        ),
    ),
    (
        lambda: upload(Store(), b"", on_progress=5),
        (
            "on_progress must be a plain (not async) function that accepts the number of bytes that were "
            "sent, and the number in all"
        ),
    ),
    (
        lambda: _note(Unanswered({"head": [ACCESS_DENIED]})),
        ("whether the object was written could not be found out: s3://bucket/key: Access Denied"),
    ),
    (
        lambda: _note(Store({"part": [ACCESS_DENIED], "abort": [ACCESS_DENIED]})),
        (
            "the parts that were sent could not be deleted, so call abort_uploads later: "
            "s3://bucket/key: Access Denied"
        ),
    ),
    (
        lambda: upload(Store(), [1]),
        (
            "source must be bytes, a path, an open binary file, or an iterator of bytes, not a list that "
            "contains int"
        ),
    ),
    # Payloads.
    (
        lambda: run(core(ScriptedIO()).submit("endpoint", bytes(128_001), inline=True)),
        "inline cannot be True for more than 128,000 bytes",
    ),
    (
        lambda: run(core(ScriptedIO()).submit("endpoint", json={1, 2})),
        "json cannot be converted to JSON: Object of type set is not JSON serializable",
    ),
    (
        lambda: run(core(ScriptedIO()).submit("endpoint", b"", json=5)),
        "json cannot be combined with payload: pass one or the other",
    ),
    (
        lambda: run(core(ScriptedIO()).submit("endpoint", "\ud800")),
        "payload must be text that UTF-8 can encode",
    ),
    (
        _kept_input,
        (
            "the input s3://bucket/in/1 was not deleted: s3://bucket/in/1: Access Denied (code "
            "AccessDenied, status 403, request id S3ID)"
        ),
    ),
]
