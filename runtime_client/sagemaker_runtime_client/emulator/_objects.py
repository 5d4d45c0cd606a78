"""The object store: what S3 holds."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import md5
from threading import Condition
from urllib.parse import unquote

from attrs import evolve, field, frozen

from ._settings import utc_now

DEFAULT_CONTENT_TYPE = "binary/octet-stream"  # what S3 stores where the caller names none

_location = re.compile(r"(https|s3)://([^/]+)/?(.*)", re.DOTALL).fullmatch
_s3_host = re.compile(r"(?:(.+)\.)?s3[.-].*amazonaws\.com.*").fullmatch

# Named here: in a class that has a method `list`, Python 3.14 takes that for the type.
Locations = list[str]


@frozen
class StoredObject:
    """
    An object, as it lies in the store.

    Attributes:
        body: The bytes.
        content_type: Their MIME type.
        metadata: What the caller says of it, by names without ``x-amz-meta-``.
        last_modified: The aware instant at which it was written, by the server's clock.
        headers: Further headers that were stored with it, such as ``cache-control``.
        checksums: ``x-amz-checksum-*`` headers that were checked when it was written.
    """

    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(factory=dict[str, str])
    last_modified: datetime = field(factory=utc_now)
    headers: Mapping[str, str] = field(factory=dict[str, str])
    checksums: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def etag(self) -> str:
        """The MD5 of the body in quotes, as S3 has it for an object that came in one piece."""
        return f'"{md5(self.body, usedforsecurity=False).hexdigest()}"'


def split_location(location: str) -> tuple[str, str]:
    """
    Return the bucket and the key that a location names.

    Args:
        location: ``s3://bucket/key``, or an ``https://`` address of S3 in either style.

    Raises:
        ValueError: It names neither.

    >>> split_location("s3://bucket/a/b")
    ('bucket', 'a/b')
    >>> split_location("https://bucket.s3.eu-west-1.amazonaws.com/a%20b")
    ('bucket', 'a b')
    >>> split_location("https://s3.eu-west-1.amazonaws.com/bucket/a")
    ('bucket', 'a')
    """
    match = _location(location)
    if match is None:
        raise ValueError("a location must be s3://bucket/key or https://host/key")
    scheme, authority, path = match.groups()
    if scheme == "s3":
        return authority, path
    host = _s3_host(authority)
    if host is not None and host[1]:
        return host[1], unquote(path)
    bucket, _, key = path.partition("/")
    return unquote(bucket), unquote(key)


class ObjectStore:
    """
    Buckets of objects, in memory; any thread may use it.

    `put`, `get` and the like take whole locations, ``s3://bucket/key``, as the service's answers name
    them; the others a bucket and a key.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._buckets: dict[str, dict[str, StoredObject]] = {}
        self._changed = Condition()

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket, if it is not there."""
        with self._changed:
            self._buckets.setdefault(bucket, {})

    def has_bucket(self, bucket: str) -> bool:
        """Tell whether a bucket is there."""
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
        """
        Write an object, and its bucket if need be.

        Args:
            location: Where.
            body: What.
            content_type: Its MIME type.
            metadata: What `StoredObject.metadata` says.
            last_modified: The instant it claims to be written at; None for now.

        Returns:
            The object as it was stored.
        """
        instant = self._now() if last_modified is None else last_modified.astimezone(UTC)
        stored = StoredObject(body, content_type, metadata or {}, instant)
        self.write(*split_location(location), stored)
        return stored

    def write(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Write an object that is made already; S3's clock has whole seconds."""
        stored = evolve(stored, last_modified=stored.last_modified.replace(microsecond=0))
        with self._changed:
            self._buckets.setdefault(bucket, {})[key] = stored
            self._changed.notify_all()

    def get(self, location: str) -> StoredObject | None:
        """Return the object at a location; None if there is none."""
        return self.read(*split_location(location))

    def read(self, bucket: str, key: str) -> StoredObject | None:
        """Return the object under a key; None if there is none."""
        with self._changed:
            return self._buckets.get(bucket, {}).get(key)

    def delete(self, location: str) -> None:
        """Remove the object at a location, if it is there."""
        bucket, key = split_location(location)
        with self._changed:
            self._buckets.get(bucket, {}).pop(key, None)

    def list(self, location: str = "s3://") -> Locations:
        """
        Return the locations of the objects whose location starts with *location*.

        >>> store = ObjectStore()
        >>> _ = store.put("s3://bucket/in/1", b"")
        >>> store.list("s3://bucket/in/")
        ['s3://bucket/in/1']
        """
        with self._changed:
            found = [f"s3://{name}/{key}" for name, keys in self._buckets.items() for key in keys]
        return sorted(one for one in found if one.startswith(location))

    def keys(self, bucket: str) -> dict[str, StoredObject]:
        """Return a bucket's objects by their keys, sorted as S3 sorts them: by their UTF-8 bytes."""
        with self._changed:
            objects = dict(self._buckets.get(bucket, {}))
        return dict(sorted(objects.items(), key=lambda item: item[0].encode()))

    def wait_for(self, location: str, timeout: float = 10.0) -> StoredObject:
        """
        Wait until there is an object at a location, and return it.

        Args:
            location: Where.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: There is none yet.
        """
        bucket, key = split_location(location)
        with self._changed:
            if self._changed.wait_for(lambda: key in self._buckets.get(bucket, {}), timeout):
                return self._buckets[bucket][key]
        raise TimeoutError(f"no object at {location} after {timeout:g} s")
