"""The storage of the emulated S3's objects: in memory or, as `disk` implements it, in a folder."""

from collections.abc import Iterator
from os import PathLike
from typing import Protocol

from .content import Content, ContentWriter, MemoryWriter
from .stored import StoredObject


class Storage(Protocol):
    """Stores the content of objects and, if it is permanent, also their descriptions."""

    def buckets(self) -> Iterator[str]:
        """Yield the buckets that an earlier emulator stored."""
        ...

    def objects(self) -> Iterator[tuple[str, str, StoredObject]]:
        """Yield the objects that an earlier emulator stored, each with its bucket and key."""
        ...

    def new_writer(self) -> ContentWriter:
        """Return a writer for the content of an object that arrives in pieces."""
        ...

    def adopt(self, content: Content) -> Content:
        """Return a new object's content in its stored form, copied if necessary."""
        ...

    def add_bucket(self, bucket: str) -> None:
        """Store a bucket."""
        ...

    def save(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Store an object, which replaces the one with the same key."""
        ...

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object."""
        ...

    def close(self) -> None:
        """Release the storage, whose objects can still be read."""
        ...


class MemoryStorage:
    """The storage in memory, which does nothing, because the object store holds the objects."""

    def buckets(self) -> Iterator[str]:
        """Yield nothing: memory is not permanent."""
        yield from ()

    def objects(self) -> Iterator[tuple[str, str, StoredObject]]:
        """Yield nothing: memory is not permanent."""
        yield from ()

    def new_writer(self) -> ContentWriter:
        """Return a writer for the content of an object that arrives in pieces."""
        return MemoryWriter()

    def adopt(self, content: Content) -> Content:
        """Return the content, which is in memory already."""
        return content

    def add_bucket(self, bucket: str) -> None:
        """Do nothing, because the object store holds everything."""

    def save(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Do nothing, because the object store holds everything."""

    def remove(self, bucket: str, key: str) -> None:
        """Do nothing, because the object store holds everything."""

    def close(self) -> None:
        """Do nothing, because the object store holds everything."""


def open_storage(folder: str | PathLike[str] | None) -> Storage:
    """Return the storage in a folder, or in memory if *folder* is None."""
    if folder is None:
        return MemoryStorage()
    from .disk import Disk  # sqlite3 is loaded only if it is needed

    return Disk(folder)
