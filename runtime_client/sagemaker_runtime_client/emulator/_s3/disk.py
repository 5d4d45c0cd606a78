"""Stores objects in a folder, from which a later emulator can load them.

The folder contains a database with the descriptions of the objects, and one file for the content of
each object or, if the object was uploaded in parts, one file for each part.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any
from weakref import finalize

from .content import Content, ContentWriter
from .files import FileSegment, FileWriter
from .stored import StoredObject

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, key TEXT, description TEXT NOT NULL, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
"""
_MAPPINGS = ("metadata", "headers", "checksums", "tags")
_TEXTS = ("content_type", "checksum_type", "etag")


class Disk:
    """Stores objects in a folder.

    Incomplete uploads in parts are not permanent: files that do not belong to an object are
    deleted.

    Args:
        folder: The folder, which is created if it does not exist.

    Raises:
        OSError: The folder cannot be created or written.
        ValueError: Another emulator uses the folder, or its database was not created by an
            emulator.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self._contents = Path(folder).absolute() / "contents"
        self._contents.mkdir(parents=True, exist_ok=True)
        self._database = _connect(self._contents.with_name("objects.sqlite3"))
        self._is_closed = False
        finalize(self, self._database.close)
        used = {segment.path for *_, stored in self.objects() for segment in _files(stored.content)}
        for path in set(self._contents.iterdir()) - used:
            path.unlink()

    def buckets(self) -> Iterator[str]:
        """Yield the buckets that an earlier emulator stored."""
        with closing(self._database.execute("SELECT name FROM buckets")) as rows:
            yield from [name for (name,) in rows]

    def objects(self) -> Iterator[tuple[str, str, StoredObject]]:
        """Yield the objects that an earlier emulator stored, each with its bucket and key."""
        with closing(
            self._database.execute("SELECT bucket, key, description FROM objects")
        ) as rows:
            for bucket, key, description in rows:
                yield bucket, key, self._load(json.loads(description))

    def _load(self, described: dict[str, Any]) -> StoredObject:
        segments = described.pop("segments")
        modified = datetime.fromisoformat(described.pop("last_modified"))
        files = [FileSegment(self._contents / name, size, is_used=True) for name, size in segments]
        return StoredObject(Content(tuple(files)), last_modified=modified, **described)

    def new_writer(self) -> ContentWriter:
        """Return a writer for the content of an object that arrives in pieces."""
        return FileWriter(self._contents)

    def adopt(self, content: Content) -> Content:
        """Return a new object's content, copied unless all of it is in unused files."""
        files = _files(content)
        if len(files) == len(content.segments) and not any(file.is_used for file in files):
            return content
        writer = self.new_writer()
        for piece in content.pieces():
            writer.write(piece)
        return writer.finish()

    def add_bucket(self, bucket: str) -> None:
        """Store a bucket."""
        self._execute("INSERT OR IGNORE INTO buckets VALUES (?)", bucket)

    def save(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Store an object, which replaces the one with the same key."""
        files = _files(stored.content)
        segments = [(file.path.name, file.size) for file in files]
        described: dict[str, Any] = {name: dict(getattr(stored, name)) for name in _MAPPINGS}
        described |= {name: getattr(stored, name) for name in _TEXTS}
        described |= {"last_modified": stored.last_modified.isoformat(), "segments": segments}
        self.add_bucket(bucket)
        self._execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", bucket, key, json.dumps(described)
        )
        for file in files:
            file.is_used = True

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object."""
        self._execute("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, key)

    def close(self) -> None:
        """Release the folder, so that another emulator can use it.

        The objects can still be read.
        """
        self._is_closed = True
        self._database.close()

    def _execute(self, statement: str, *parameters: str) -> None:
        if self._is_closed:
            raise RuntimeError("objects in a folder cannot be changed after the emulator stopped")
        self._database.execute(statement, parameters)


def _connect(path: Path) -> sqlite3.Connection:
    """Open the database, which no other process can open at the same time."""
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(f"BEGIN EXCLUSIVE; {_SCHEMA} COMMIT;")
    except sqlite3.DatabaseError as error:
        database.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise ValueError(f"the folder of data= is used by another emulator: {path}") from None
        raise ValueError(f"the folder of data= has an invalid database: {path}: {error}") from None
    return database


def _files(content: Content) -> list[FileSegment]:
    """Return the segments of *content* that are files."""
    return [segment for segment in content.segments if isinstance(segment, FileSegment)]
