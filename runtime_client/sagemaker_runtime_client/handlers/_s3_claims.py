"""`S3Claims`, a store that all execution environments share: one S3 object for each key.

An object is created with ``If-None-Match: *``, and changed with ``If-Match`` and the entity tag of
the version that the writer has read.  Therefore only one of several concurrent writers succeeds.
This module never deletes an object; a lifecycle rule of the bucket should do so.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from .._clients import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from .._errors import ObjectNotFoundError, ParamValidationError, ServiceError
from .._io.run import is_async
from .._io.system import System
from .._settings.setting import locations
from .._value import Value
from ._batch import resolve
from ._claims import Claim, ClaimLostError, Claims

Client: TypeAlias = SageMakerRuntimeClient | AsyncSageMakerRuntimeClient

# The maximum size of a claim's object in bytes.  Its longest value is the handle of a job.
_MAX_SIZE = 65_536
# The statuses of S3's response to a conditional write if another writer was faster.
_CONFLICTS = frozenset({409, 412})


def check_claims(claims: Claims | None, function: object) -> None:
    """Raise ParamValidationError if the claims use an async client, but the function is plain."""
    if isinstance(claims, S3Claims) and claims.is_async and not is_async(function):
        raise ParamValidationError(
            "claims uses an async client, which only an async function can use: pass a "
            "SageMakerRuntimeClient, or decorate an async function",
            argument="claims",
        )


class S3Claims:
    """Claims that are stored in S3, so that all execution environments share them.

    Handling a message takes two PUT requests, and recognizing a redelivered message takes one PUT
    and one GET request.  The objects are small, and this class does not delete them.  Give the
    bucket a lifecycle rule that expires them after the retention period of the queue, which is at
    most 14 days.

    The clocks of two environments must not differ by more than 10 seconds, because a claim expires
    10 seconds after the end of its invocation.  The clocks of AWS Lambda differ by far less.

    Args:
        client: The client that sends the requests: an async client for async handler functions,
            otherwise a blocking one.  It needs ``s3:GetObject`` and ``s3:PutObject`` for the
            prefix.
        prefix: The location of the claims, as ``s3://bucket/prefix/``.  If the client has
            ``allowed_locations``, they must include it.  Use a different prefix for each handler
            function, because two handlers use the same key for the same event.
        clock: A function that returns the time in seconds since 1970.

    Attributes:
        is_async: Whether the client is async.

    Raises:
        ParamValidationError: *prefix* is not a location of this form.
    """

    def __init__(
        self, client: Client, prefix: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        try:
            (self._prefix,) = locations([prefix])
        except ValueError:
            raise ParamValidationError(
                "prefix must be a location such as s3://bucket/prefix/", argument="prefix"
            ) from None
        self._client, self._clock = client, clock
        self.is_async = isinstance(client, AsyncSageMakerRuntimeClient)

    async def claim(self, key: str, seconds: float, /) -> Claim:
        """Claim a message; see `Claims.claim`."""
        record = _Record("claimed", self._clock() + seconds)
        token = await self._write(key, record, if_none_match="*")
        if token is not None:
            return Claim(key, "claimed", token=token)
        stored, etag = await self._read(key)
        if stored.state == "done":
            return Claim(key, "done", stored.value)
        if stored.state == "claimed" and self._clock() < stored.expires:
            return Claim(key, "busy")
        token = await self._write(key, record, if_match=etag)
        if token is None:  # another invocation has just claimed the message
            return Claim(key, "busy")
        return Claim(key, "claimed", token=token, repeated=True)

    async def done(self, claim: Claim, value: str | None = None, /) -> None:
        """Record that the message was handled; see `Claims.done`."""
        await self._replace(claim, _Record("done", 0.0, value))

    async def release(self, claim: Claim, /) -> None:
        """Give up a claim; see `Claims.release`."""
        await self._replace(claim, _Record("free", 0.0))

    async def _replace(self, claim: Claim, record: _Record) -> None:
        if await self._write(claim.key, record, if_match=claim.token) is None:
            raise ClaimLostError(
                f"the claim {claim.key} expired, and another invocation has claimed the message since"
            )

    async def _write(
        self,
        key: str,
        record: _Record,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> str | None:
        """Write a record; return its entity tag, or None if the object was changed meanwhile."""
        try:
            written = await resolve(
                self._client.put_object(
                    self._prefix + key,
                    record.to_json(),
                    content_type="application/json",
                    if_match=if_match,
                    if_none_match=if_none_match,
                )
            )
        except ObjectNotFoundError:  # the object was deleted after it was read
            return None
        except ServiceError as error:
            if error.status_code not in _CONFLICTS:
                raise
            return None
        return written.etag

    async def _read(self, key: str) -> tuple[_Record, str | None]:
        """Return the record of a message, and the entity tag of its object."""
        stored = await resolve(self._client.get_object(self._prefix + key, max_size=_MAX_SIZE))
        return _Record.from_json(stored.body), stored.etag


class _Record(Value):
    """The content of the object that stores a claim.

    Attributes:
        state: ``"claimed"``; ``"free"`` if the claim was released after a failure; or ``"done"``.
        expires: When a claim expires, in seconds since 1970.
        value: The value that was passed to `S3Claims.done`.
        nonce: A random string, so that the entity tags of any two records differ.
    """

    __slots__ = __match_args__ = ("state", "expires", "value", "nonce")

    def __init__(
        self, state: str, expires: float, value: str | None = None, nonce: str | None = None
    ) -> None:
        self.state = state
        self.expires = expires
        self.value = value
        self.nonce = nonce or System.uuid()

    def to_json(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    @classmethod
    def from_json(cls, text: bytes) -> _Record:
        """Return the record in the body of an object; an invalid body counts as a released claim."""
        with suppress(ValueError, RecursionError):
            match json.loads(text):
                case {"state": str(state), "expires": int() | float() as expires, "value": value}:
                    return cls(state, expires, value if isinstance(value, str) else None)
                case _:
                    pass
        return cls("free", 0.0)
