"""
The chain's credentials, kept while they last and fetched anew before they end.

A quarter of an hour before the end a refresh is due: one caller tries, the others go on with what
there is, and a failure is logged.  From ten minutes before the end on, all wait for one refresh,
and a failure is raised.  For keys that live shorter, a quarter and an eighth of their lifetime.

Source: botocore 1.44, credentials.py, RefreshableCredentials, for the two windows.
"""

import logging
from collections.abc import Awaitable, Callable
from copy import copy
from datetime import datetime, timedelta
from typing import NamedTuple

from sigv4 import Credentials

from .._errors import CredentialProviderError, RuntimeClientError, is_shortage
from .._io.run import run
from .._io.system import IO
from ._chain import Found, search
from ._provider import Context

_log = logging.getLogger("sagemaker_runtime_client")

# Before the end: seconds at the most, and the part of the lifetime at the most.
_MANDATORY = (10 * 60.0, 1 / 8)
# Seconds from one failed attempt to the next, while there is time.
_BACKOFF = 60.0
# While the service of an instance is down: seconds that its keys are taken to live on, and the
# shortest and longest pause until it is asked again.
_LIVE_ON = 15 * 60.0
_ASK_AGAIN = (2 * 60.0, 10 * 60.0)


class Held(NamedTuple):
    """
    Credentials, and when to fetch others.

    Attributes:
        found: The credentials, and where they are from.
        due: From when on a refresh is tried; None if they do not end.
        overdue: From when on they are not given out without one.
    """

    found: Found
    due: datetime | None = None
    overdue: datetime | None = None

    @classmethod
    def of(cls, found: Found, now: datetime) -> "Held":
        """Return credentials that were fetched *now*."""
        ends = found.credentials.expiration
        if ends is None:
            return cls(found)
        lifetime = (ends - now).total_seconds()
        windows = ((found.source.window, found.source.share), _MANDATORY)
        due, overdue = [
            ends - timedelta(seconds=min(longest, lifetime * share)) for longest, share in windows
        ]
        return cls(found, due, overdue)

    def living_on(self, now: datetime, random: float) -> "Held":
        """Return the same credentials with a later end, to be refreshed after a while."""
        shortest, longest = _ASK_AGAIN
        due = now + timedelta(seconds=shortest + random * (longest - shortest))
        overdue = due + timedelta(seconds=_LIVE_ON)
        credentials = self.found.credentials.replace(expiration=overdue)
        return Held(self.found._replace(credentials=credentials), due, overdue)


class ChainCredentials:
    """
    A `CredentialsProvider` over the chain, in the colour of *io*.

    Its threads, or its tasks, share one refresh.  What is held is replaced as a whole, so that
    nobody sees half of a key.

    Args:
        io: The outside world.
        context: Returns what the sources work with.
    """

    def __init__(self, io: IO, context: Callable[[], Awaitable[Context]]) -> None:
        self._io = io
        self._context = context
        self._begin()

    def _begin(self) -> None:
        """Hold nothing: at first, and in a new generation, in which the lock may have been left taken."""
        self._generation = self._io.generation()
        self._lock = self._io.lock()
        self._held: Held | None = None
        self._next_attempt = float("-inf")
        self._failures = 0
        self._failure: RuntimeClientError | None = None

    def get(self) -> Credentials:
        """Return credentials, blocking if need be; for a blocking `IO`."""
        return run(self.aget())

    async def aget(self) -> Credentials:
        """
        Return credentials.

        Raises:
            NoCredentialsError: No source has any.
            CredentialProviderError: One is configured and fails, and nothing held serves.
        """
        if self._generation != self._io.generation():
            self._begin()
        held = self._held
        if held is not None and not held.found.source.kept:  # it is looked at anew each time
            held = self._held = await self._looked_at(held)
        if held is None:
            return await self._fetched()
        now = self._io.now()
        if held.overdue is not None and now >= held.overdue:
            return await self._fetched()
        if held.due is not None and now >= held.due:
            return await self._perhaps_refreshed(held)
        return held.found.credentials

    async def _looked_at(self, held: Held) -> Held | None:
        """Return what is held now: the same where it says the same, for the keys derived of it."""
        credentials = await held.found.provider.load(await self._context())
        if credentials is None:
            return None
        if credentials == held.found.credentials:
            return held
        return Held(held.found._replace(credentials=credentials))

    async def _perhaps_refreshed(self, held: Held) -> Credentials:
        """Return new credentials, or those held if somebody else is at it or it fails."""
        lock = self._lock
        if self._io.monotonic() < self._next_attempt or not lock.acquire_nowait():
            return held.found.credentials
        try:
            if self._held is held:  # nobody has been faster
                self._held = await self._refreshed(held)
        except RuntimeClientError as error:
            self._next_attempt = self._io.monotonic() + _BACKOFF
            ends = held.found.credentials.expiration
            _log.warning("%s; what there is serves until %s", error, ends)
        finally:
            lock.release()
        return (self._held or held).found.credentials

    async def _fetched(self) -> Credentials:
        """Return new credentials; whoever waits here for another's fetch shares its outcome."""
        lock, failures = self._lock, self._failures
        await lock.acquire()
        try:
            held, now = self._held, self._io.now()
            if held is not None and (held.overdue is None or now < held.overdue):
                return held.found.credentials
            if self._failure is not None and self._failures != failures:
                raise copy(self._failure)  # each caller has his own: they note things in it
            try:
                self._held = held = await self._refreshed(held)
            except RuntimeClientError as error:
                self._failures += 1
                self._failure = copy(error)
                raise
            return held.found.credentials
        finally:
            lock.release()

    async def _refreshed(self, held: Held | None) -> Held:
        """Ask the source that answered before, or at first the chain."""
        try:
            context = await self._context()
            found = await search(context) if held is None else await _again(held.found, context)
            now = self._io.now()
            refuse_expired(found, now)
        except Exception as error:
            if held is not None and held.found.source.static_stability:
                _log.warning("%s; its credentials are kept for now", _failure(error, held))
                return held.living_on(self._io.now(), self._io.random())
            if isinstance(error, RuntimeClientError):
                raise
            raise _failure(error, held) from error
        _log.debug(
            "credentials %s of %s, until %s",
            found.credentials.access_key_id,
            found.source.name,
            found.credentials.expiration,
        )
        return Held.of(found, now)


async def _again(found: Found, context: Context) -> Found:
    """Ask one source again."""
    credentials = await found.provider.load(context)
    if credentials is None:
        raise CredentialProviderError(
            f"{found.source.name} had credentials before, and has none now",
            provider=found.source.name,
        )
    return found._replace(credentials=credentials)


def refuse_expired(found: Found, now: datetime) -> None:
    """Refuse credentials that have ended already."""
    if found.credentials.expired(now):
        raise CredentialProviderError(
            f"{found.source.name} returned credentials that ended at "
            f"{found.credentials.expiration}",
            provider=found.source.name,
        )


def _failure(error: Exception, held: Held | None) -> RuntimeClientError:
    """Return an error of ours for whatever a source raises."""
    if isinstance(error, RuntimeClientError):
        return error
    name = "chain" if held is None else held.found.source.name
    failure = CredentialProviderError(
        f"the source of credentials failed: {type(error).__name__}", provider=name
    )
    failure.retryable = is_shortage(error)
    return failure
