"""The objects in the emulated S3."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Condition
from urllib.parse import unquote

from attrs import evolve

from .._settings import utc_now
from .content import ContentWriter
from .storage import MemoryStorage, Storage
from .stored import DEFAULT_CONTENT_TYPE, StoredObject
from .uploads import Uploads

_location = re.compile(r"(https|s3)://([^/]+)/?(.*)", re.DOTALL).fullmatch
_s3_host = re.compile(r"(?:(.+)\.)?s3[.-].*amazonaws\.com.*").fullmatch

# `ObjectStore` needs this alias because it has a method `list`: in the annotations of the class,
# Python 3.14 resolves the name `list` to that method.
Locations = list[str]


def split_location(location: str) -> tuple[str, str]:
    """Return the bucket and the key in a location.

    Args:
        location: ``s3://bucket/key``, or an ``https://`` URL of S3 in path style or virtual-host
            style.

    Raises:
        ValueError: *location* has neither of these forms.

    >>> split_location("s3://bucket/a/b")
    ('bucket', 'a/b')
    >>> split_location("https://bucket.s3.eu-west-1.amazonaws.com/a%20b")
    ('bucket', 'a b')
    >>> split_location("https://s3.eu-west-1.amazonaws.com/bucket/a")
    ('bucket', 'a')
    """
    match = _location(location)
    if match is None:
        raise ValueError("a location must have the form s3://bucket/key or https://host/key")
    scheme, authority, path = match.groups()
    if scheme == "s3":
        return authority, path
    host = _s3_host(authority)
    if host is not None and host[1]:
        return host[1], unquote(path)
    bucket, _, key = path.partition("/")
    return unquote(bucket), unquote(key)


class ObjectStore:
    """Stores buckets and their objects.  Its methods may be called from any thread.

    `put`, `get`, `delete` and `wait_for` accept a location such as ``s3://bucket/key``, as in
    SageMaker's responses, and `list` accepts the beginning of a location.  The other methods accept
    a bucket, or a bucket and a key.

    Args:
        now: Returns the current time.
        storage: Stores the objects; by default, they are stored in memory.
    """

    def __init__(
        self, now: Callable[[], datetime] = utc_now, storage: Storage | None = None
    ) -> None:
        self._storage = MemoryStorage() if storage is None else storage
        self._now = now
        self._listeners: list[Callable[[str, str, StoredObject], object]] = []
        self._buckets: dict[str, dict[str, StoredObject]] = {
            bucket: {} for bucket in self._storage.buckets()
        }
        for bucket, key, stored in self._storage.objects():
            self._buckets[bucket][key] = stored
        self._changed = Condition()
        self.uploads = Uploads()

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket, unless it exists already."""
        with self._changed:
            if bucket not in self._buckets:
                self._storage.add_bucket(bucket)
                self._buckets[bucket] = {}

    def has_bucket(self, bucket: str) -> bool:
        """Return whether a bucket exists."""
        with self._changed:
            return bucket in self._buckets

    def put(
        self,
        location: str,
        body: bytes,
        content_type: str = DEFAULT_CONTENT_TYPE,
        *,
        metadata: Mapping[str, str] | None = None,
        last_modified: datetime | None = None,
    ) -> StoredObject:
        """Write an object; its bucket is created if necessary.

        Args:
            location: Where to write the object, such as ``s3://bucket/key``.
            body: The content.
            content_type: The MIME type of the content.
            metadata: See `StoredObject.metadata`.
            last_modified: The modification time, an aware datetime; None for the server's current
                time.  If a time is passed, S3 does not announce the object.

        Returns:
            The object, with its exact modification time.  The stored object's time is rounded down
            to a second.

        Raises:
            ValueError: *location* is invalid.
        """
        written = self._now() if last_modified is None else last_modified.astimezone(UTC)
        stored = StoredObject(body, content_type, metadata or {}, written)
        self.write(*split_location(location), stored, is_new=last_modified is None)
        return stored

    def call_on_write(self, listener: Callable[[str, str, StoredObject], object]) -> None:
        """Call *listener* with the bucket, the key and the object after each write."""
        self._listeners.append(listener)

    def write(self, bucket: str, key: str, stored: StoredObject, *, is_new: bool = True) -> None:
        """Write an object; its bucket is created if necessary.

        The object's modification time is rounded down to a second, the precision of S3.

        Args:
            bucket: The bucket.
            key: The key.
            stored: The object.
            is_new: Whether S3 announces the object.  If not, the object counts as one that existed
                before.
        """
        last_modified = stored.last_modified.replace(microsecond=0)
        with self._changed:
            content = self._storage.adopt(stored.content)
            stored = evolve(stored, body=content, last_modified=last_modified)
            self._storage.save(bucket, key, stored)
            objects = self._buckets.setdefault(bucket, {})
            if (replaced := objects.get(key)) is not None:
                replaced.content.discard()
            objects[key] = stored
            self._changed.notify_all()
        for listener in self._listeners if is_new else ():
            listener(bucket, key, stored)

    def get(self, location: str) -> StoredObject | None:
        """Return the object at a location, or None if it does not exist."""
        return self.read(*split_location(location))

    def read(self, bucket: str, key: str) -> StoredObject | None:
        """Return the object with this bucket and key, or None if it does not exist."""
        with self._changed:
            return self._buckets.get(bucket, {}).get(key)

    def delete(self, location: str) -> None:
        """Remove the object at a location, if there is one."""
        self.remove(*split_location(location))

    def remove(self, bucket: str, key: str) -> None:
        """Remove the object with this bucket and key, if there is one."""
        with self._changed:
            if (removed := self._buckets.get(bucket, {}).pop(key, None)) is not None:
                self._storage.remove(bucket, key)
                removed.content.discard()

    def new_writer(self) -> ContentWriter:
        """Return a writer for the content of an object that arrives in pieces."""
        return self._storage.new_writer()

    def close(self) -> None:
        """Release the storage.  After that, objects can be read but not written."""
        with self._changed:
            self._storage.close()

    def list(self, location: str = "s3://") -> Locations:
        """Return the sorted locations of all objects whose locations start with *location*.

        >>> store = ObjectStore()
        >>> _ = store.put("s3://bucket/in/1", b"")
        >>> store.list("s3://bucket/in/")
        ['s3://bucket/in/1']
        """
        with self._changed:
            found = [f"s3://{name}/{key}" for name, keys in self._buckets.items() for key in keys]
        return sorted(name for name in found if name.startswith(location))

    def list_uploads(self, location: str = "s3://") -> Locations:
        """Return the sorted locations of uploads in parts that were neither completed nor aborted.

        Args:
            location: The beginning of the locations to return.
        """
        found = [f"s3://{upload.bucket}/{upload.key}" for upload in self.uploads.all()]
        return sorted(name for name in found if name.startswith(location))

    def keys(self, bucket: str) -> dict[str, StoredObject]:
        """Return a mapping from the keys in a bucket to the objects.

        The mapping is sorted by the UTF-8 bytes of the keys, as in S3.
        """
        with self._changed:
            objects = dict(self._buckets.get(bucket, {}))
        return dict(sorted(objects.items(), key=lambda item: item[0].encode()))

    def wait_for(self, location: str, timeout: float = 10.0) -> StoredObject:
        """Wait until there is an object at a location, and return it.

        Args:
            location: The location, such as ``s3://bucket/key``.
            timeout: The maximum time to wait, in seconds.

        Raises:
            TimeoutError: There is still no object at *location* after *timeout* seconds.
            ValueError: *location* is invalid.
        """
        bucket, key = split_location(location)
        with self._changed:
            if self._changed.wait_for(lambda: key in self._buckets.get(bucket, {}), timeout):
                return self._buckets[bucket][key]
        raise TimeoutError(f"no object was written to {location} within {timeout:g} s")
