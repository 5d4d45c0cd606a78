"""Claims on messages, so that a message that is delivered twice is handled only once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Literal, Protocol, TypeAlias

from .._errors import ParamValidationError, RuntimeClientError
from .._value import Value

State: TypeAlias = Literal["claimed", "done", "busy"]


class ClaimLostError(RuntimeClientError):
    """A claim expired before its holder recorded the result, and another invocation claimed the message.

    The message may have been handled twice.  Increase the Lambda function's timeout, or reduce the
    batch size.
    """


class Claim(Value):
    """What `Claims.claim` found.

    Attributes:
        key: The key of the message.
        state: ``"claimed"`` if the caller now holds the claim and must handle the message;
            ``"done"`` if the message was handled before; ``"busy"`` if another invocation holds an
            unexpired claim.
        value: The value that was passed to `Claims.done`, if *state* is ``"done"``.
        token: A string that distinguishes this claim from other claims on the same key.
        repeated: Whether an earlier claim on the key expired or was released, so that an earlier
            attempt to handle the message may have had effects.
    """

    __slots__ = __match_args__ = ("key", "state", "value", "token", "repeated")

    key: str
    state: State
    value: str | None
    token: str
    repeated: bool

    def __init__(
        self,
        key: str,
        state: State,
        value: str | None = None,
        token: str = "",
        repeated: bool = False,
    ) -> None:
        self.key = key
        self.state = state
        self.value = value
        self.token = token
        self.repeated = repeated


class Claims(Protocol):
    """A store that records which messages were handled, and which are being handled now.

    Each method may be a plain or an async function.  If the handler function is plain, async
    methods must not suspend.
    """

    def claim(self, key: str, seconds: float, /) -> Claim | Awaitable[Claim]:
        """Claim a message, unless it is done or another invocation holds an unexpired claim.

        Args:
            key: The key of the message: at most 100 letters, digits and hyphens.
            seconds: The number of seconds after which the claim expires.
        """
        ...

    def done(self, claim: Claim, value: str | None, /) -> object:
        """Record that the message was handled; raise `ClaimLostError` if the claim was lost.

        Args:
            claim: The claim that the caller holds.
            value: What later claims on the key return; `sqs_submitter` stores the job's handle.
        """
        ...

    def release(self, claim: Claim, /) -> object:
        """Give up a claim, because handling the message failed."""
        ...


class MemoryClaims:
    """Claims that are stored in the memory of this process.

    They recognize a redelivered message only in the execution environment that handled it before.
    Lambda may run several environments at the same time and may end any of them.  If handling a
    message twice would do harm, use `S3Claims` or your own store.

    Args:
        max_keys: The maximum number of keys that are remembered; the least recently used ones are
            forgotten first.
        clock: A function that returns the time in seconds.

    Raises:
        ParamValidationError: *max_keys* is less than 1.
    """

    def __init__(
        self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if max_keys < 1:
            raise ParamValidationError("max_keys must be at least 1", argument="max_keys")
        self._max_keys, self._clock = max_keys, clock
        self._claims: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()
        self._count = 0

    def claim(self, key: str, seconds: float, /) -> Claim:
        """Claim a message; see `Claims.claim`."""
        with self._lock:
            entry = self._claims.get(key)
            if entry is not None:
                self._claims.move_to_end(key)
                if entry.is_done:
                    return Claim(key, "done", entry.value)
                if self._clock() < entry.expires:
                    return Claim(key, "busy")
            self._count += 1
            token = str(self._count)
            self._claims[key] = _Entry(token, self._clock() + seconds)
            if len(self._claims) > self._max_keys:
                self._claims.popitem(last=False)
            return Claim(key, "claimed", token=token, repeated=entry is not None)

    def done(self, claim: Claim, value: str | None = None, /) -> None:
        """Record that the message was handled; see `Claims.done`."""
        with self._lock:
            entry = self._claims.setdefault(claim.key, _Entry(claim.token, 0.0))
            if entry.token != claim.token:
                raise ClaimLostError(
                    f"the claim {claim.key} expired, and another thread has claimed the message since"
                )
            entry.is_done, entry.value = True, value

    def release(self, claim: Claim, /) -> None:
        """Give up a claim; see `Claims.release`."""
        with self._lock:
            entry = self._claims.get(claim.key)
            if entry is not None and entry.token == claim.token:
                entry.expires = self._clock()


class _Entry:
    __slots__ = ("token", "expires", "is_done", "value")

    def __init__(self, token: str, expires: float) -> None:
        self.token = token
        self.expires = expires
        self.is_done = False
        self.value: str | None = None
