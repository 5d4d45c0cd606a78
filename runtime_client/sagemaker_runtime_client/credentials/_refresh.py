"""Caches the credentials that the chain finds, and refreshes them before they expire.

Nothing is refreshed in the background.  The first call searches the chain and remembers the
provider that had credentials.  Later calls return the cached credentials until they are about to
expire.  Then one of the callers acquires the lock of the `ChainCredentials` object and loads new
credentials from that provider.  The cached value is replaced in one step, so no caller sees a
mixture of old and new credentials.

What a call does depends on how soon the cached credentials expire:

- Advisory window: the last 15 minutes, or the last quarter of the lifetime if that is shorter
  (``aws login``: 5 minutes or half the lifetime).  The first caller that acquires the lock
  refreshes the credentials; all others return the cached credentials without waiting.  If the
  refresh fails, a warning is logged, the cached credentials stay in use, and the next attempt
  follows after 60 seconds at the earliest.
- Mandatory window: the last 10 minutes, or the last eighth of the lifetime if that is shorter.
  Every caller waits for the lock.  The first caller refreshes the credentials for all of them.  If
  the refresh fails, the waiting callers raise the same error, and the next call tries again.

The role credentials of an EC2 instance are an exception to both failure rules.  AWS accepts them
after their expiration while the metadata service is down, so their expiration is postponed and the
service is polled again later.

An async caller with a deadline stops waiting at the deadline, but the refresh continues for the
other callers; a thread waits until the refresh ends.  Credentials without an expiration are never
refreshed, and environment variables are read at each call.

Source: botocore 1.44, credentials.py, RefreshableCredentials, for the two windows.
"""

import logging
from collections.abc import Awaitable, Callable
from copy import copy
from datetime import datetime, timedelta
from typing import NamedTuple

from sigv4 import Credentials

from .._aws.auth import Auth, CredentialsAuth
from .._errors import CredentialProviderError, RuntimeClientError
from .._io.files import is_shortage
from .._io.run import run
from .._io.system import System
from .._settings.context import Context
from ._chain import ResolvedCredentials, search

_log = logging.getLogger("sagemaker_runtime_client")

# The maximum length of the mandatory window before the expiration, in seconds and as a fraction of
# the lifetime.  The shorter of the two applies.
_MANDATORY = (10 * 60.0, 1 / 8)
# How many seconds must pass after a failed refresh in the advisory window before the next attempt.
_BACKOFF = 60.0
# While the metadata service is down, it is polled after random pauses between the two values of
# _RETRY_PAUSE.  The credentials stay in use until _EXTENSION seconds after the next poll is due.
_EXTENSION = 15 * 60.0
_RETRY_PAUSE = (2 * 60.0, 10 * 60.0)


class CachedCredentials(NamedTuple):
    """Credentials with the times of their next refresh.

    Attributes:
        resolved: The credentials and their provider.
        advisory_refresh_at: From this time on a refresh is attempted; None if the credentials do
            not expire.
        mandatory_refresh_at: From this time on callers wait for a refresh; None without expiration.
    """

    resolved: ResolvedCredentials
    advisory_refresh_at: datetime | None = None
    mandatory_refresh_at: datetime | None = None

    @classmethod
    def fetched(cls, resolved: ResolvedCredentials, now: datetime) -> "CachedCredentials":
        """Return the cache entry for credentials that were loaded at the time *now*."""
        ends, spec = resolved.credentials.expiration, resolved.spec
        if ends is None:
            return cls(resolved)
        lifetime = (ends - now).total_seconds()
        windows = ((spec.advisory_window, spec.advisory_fraction), _MANDATORY)
        advisory, mandatory = [
            ends - timedelta(seconds=min(longest, lifetime * fraction))
            for longest, fraction in windows
        ]
        return cls(resolved, advisory, mandatory)

    def extended(self, now: datetime, random: float) -> "CachedCredentials":
        """Return the same credentials with a later expiration and a random refresh time."""
        shortest, longest = _RETRY_PAUSE
        advisory = now + timedelta(seconds=shortest + random * (longest - shortest))
        mandatory = advisory + timedelta(seconds=_EXTENSION)
        credentials = self.resolved.credentials.replace(expiration=mandatory)
        resolved = self.resolved._replace(credentials=credentials)
        return CachedCredentials(resolved, advisory, mandatory)


class ChainCredentials:
    """A `CredentialsProvider` that caches the credentials of the chain.

    All threads (or all tasks of the event loop) that use this object share one refresh.

    Args:
        system: Provides clocks and locks, for threads or for tasks.
        context: Returns the context that the providers use.
    """

    def __init__(self, system: System, context: Callable[[], Awaitable[Context]]) -> None:
        self._system = system
        self._context = context
        self._reset()

    def _reset(self) -> None:
        """Empty the cache and create a new lock.

        After a fork or the restoration of a snapshot, the old lock may be held by a thread that no
        longer runs.
        """
        self._generation = self._system.generation()
        self._lock = self._system.lock()
        self._cached: CachedCredentials | None = None
        self._next_attempt = float("-inf")
        self._failures = 0
        self._failure: RuntimeClientError | None = None

    def get(self) -> Credentials:
        """Return credentials, for threads; the call blocks while they are loaded."""
        return run(self.aget())

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop."""
        return await self.load(None)

    async def load(self, deadline: float | None) -> Credentials:
        """Return valid credentials, cached or new.

        Args:
            deadline: When an async caller stops waiting, in seconds of the monotonic clock; None
                for no limit.  Threads ignore the deadline.

        Raises:
            NoCredentialsError: No provider has credentials; configure one.
            CredentialProviderError: A configured provider failed, and no credentials are cached or
                they are in the mandatory window.
            TransportError: The deadline has passed.  The refresh continues for other callers.
        """
        if self._generation != self._system.generation():
            self._reset()
        cached = self._cached
        if cached is not None and not cached.resolved.spec.cached:
            cached = self._cached = await self._reload(cached)
        finish = self._system.finish_by
        if cached is None:
            return await finish(deadline, self._mandatory_refresh)
        now = self._system.now()
        if cached.mandatory_refresh_at is not None and now >= cached.mandatory_refresh_at:
            return await finish(deadline, self._mandatory_refresh)
        if cached.advisory_refresh_at is not None and now >= cached.advisory_refresh_at:
            return await finish(deadline, self._advisory_refresh, cached)
        return cached.resolved.credentials

    async def _reload(self, cached: CachedCredentials) -> CachedCredentials | None:
        """Load the provider's current credentials, or return *cached* itself if they are unchanged.

        Return None if the provider has no credentials any more.  The unchanged object is reused
        because the signer stores derived signing keys for each credentials object.
        """
        credentials = await cached.resolved.provider.load()
        if credentials is None:
            return None
        if credentials == cached.resolved.credentials:
            return cached
        return CachedCredentials(cached.resolved._replace(credentials=credentials))

    async def _advisory_refresh(self, cached: CachedCredentials) -> Credentials:
        """Try a refresh; return the new credentials, or the cached ones if the refresh fails.

        If another caller is refreshing, or the pause after a failure has not ended, the cached
        credentials are returned without a refresh.
        """
        lock = self._lock
        if self._system.monotonic() < self._next_attempt or not lock.acquire_nowait():
            return cached.resolved.credentials
        try:
            if self._cached is cached:  # no other caller has replaced the credentials
                self._cached = await self._refresh(cached)
        except RuntimeClientError as error:
            self._next_attempt = self._system.monotonic() + _BACKOFF
            ends = cached.resolved.credentials.expiration
            _log.warning(
                "credential refresh failed (%s); using the current credentials until %s",
                error,
                ends,
            )
        finally:
            lock.release()
        return (self._cached or cached).resolved.credentials

    async def _mandatory_refresh(self) -> Credentials:
        """Return new credentials; callers that wait for another caller's refresh share its result."""
        lock, failures = self._lock, self._failures
        await lock.acquire()
        try:
            cached, now = self._cached, self._system.now()
            if cached is not None and (
                cached.mandatory_refresh_at is None or now < cached.mandatory_refresh_at
            ):
                return cached.resolved.credentials
            if self._failure is not None and self._failures != failures:
                # Each caller raises its own copy, because callers add details to the error.
                raise copy(self._failure)
            try:
                self._cached = cached = await self._refresh(cached)
            except RuntimeClientError as error:
                self._failures += 1
                self._failure = copy(error)
                raise
            return cached.resolved.credentials
        finally:
            lock.release()

    async def _refresh(self, cached: CachedCredentials | None) -> CachedCredentials:
        """Load credentials from the provider of *cached*; if *cached* is None, search the chain."""
        try:
            resolved = await (
                search(await self._context()) if cached is None else _load_again(cached.resolved)
            )
            now = self._system.now()
            refuse_expired(resolved, now)
        except Exception as error:
            if cached is not None and cached.resolved.spec.static_stability:
                extended = cached.extended(self._system.now(), self._system.random())
                _log.warning(
                    "credential refresh failed (%s); extending the current credentials until %s",
                    _wrap_error(error, cached),
                    extended.mandatory_refresh_at,
                )
                return extended
            if isinstance(error, RuntimeClientError):
                raise
            raise _wrap_error(error, cached) from error
        _log.debug(
            "loaded credentials %s from provider %s, which expire at %s",
            resolved.credentials.access_key_id,
            resolved.spec.name,
            resolved.credentials.expiration or "no known time",
        )
        return CachedCredentials.fetched(resolved, now)


class ChainAuth(Auth):
    """Signs with SigV4 and the chain's credentials.

    `prepare` awaits `ChainCredentials.load` itself, because `get` and `aget` accept no deadline.

    Args:
        chain: The cached credentials of the chain.
    """

    def __init__(self, chain: ChainCredentials) -> None:
        self._chain = chain

    async def prepare(self, system: System, deadline: float | None) -> CredentialsAuth:
        """Return the `Auth` for the next attempt; raises the errors of `ChainCredentials.load`."""
        return CredentialsAuth(await self._chain.load(deadline))


async def _load_again(resolved: ResolvedCredentials) -> ResolvedCredentials:
    credentials = await resolved.provider.load()
    if credentials is None:
        name = resolved.spec.name
        raise CredentialProviderError(
            f"credential provider {name} no longer has credentials: restore its settings, or restart "
            "the program to search all providers again",
            provider=name,
        )
    return resolved._replace(credentials=credentials)


def refuse_expired(resolved: ResolvedCredentials, now: datetime) -> None:
    """Raise CredentialProviderError if the credentials have already expired."""
    credentials, name = resolved.credentials, resolved.spec.name
    if credentials.expired(now):
        raise CredentialProviderError(
            f"credential provider {name} returned credentials that expired at "
            f"{credentials.expiration}: renew them, or correct the clock of this machine",
            provider=name,
        )


def _wrap_error(error: Exception, cached: CachedCredentials | None) -> RuntimeClientError:
    """Return *error* itself if it is a RuntimeClientError, else a CredentialProviderError."""
    if isinstance(error, RuntimeClientError):
        return error
    name = "chain" if cached is None else cached.resolved.spec.name
    failure = CredentialProviderError(
        f"credential provider {name} raised {type(error).__name__}", provider=name
    )
    failure.retryable = is_shortage(error)
    return failure
