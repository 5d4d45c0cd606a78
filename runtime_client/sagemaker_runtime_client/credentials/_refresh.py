"""
The chain's credentials, cached while they are valid and refreshed before they end.

A quarter of an hour before the end a refresh is advisory: one caller tries, the others go on with
the cached credentials, and a failure is logged.  From ten minutes before the end on it is mandatory:
all wait for one refresh, and a failure is raised.  For keys that live shorter, the two windows are a
quarter and an eighth of their lifetime.

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

# The mandatory window before the end: seconds at the most, and the fraction of the lifetime at the most.
_MANDATORY = (10 * 60.0, 1 / 8)
# Seconds from one failed attempt to the next, during the advisory window.
_BACKOFF = 60.0
# While the service of an instance is down: seconds by which its keys are extended, and the shortest
# and longest pause until it is asked again.
_EXTENSION = 15 * 60.0
_ASK_AGAIN = (2 * 60.0, 10 * 60.0)


class CachedCredentials(NamedTuple):
    """
    Credentials, and when to fetch others.

    Attributes:
        resolved: The credentials, and where they are from.
        advisory_refresh_at: From when on a refresh is tried; None if they do not end.
        mandatory_refresh_at: From when on they are not given out without one.
    """

    resolved: ResolvedCredentials
    advisory_refresh_at: datetime | None = None
    mandatory_refresh_at: datetime | None = None

    @classmethod
    def fetched(cls, resolved: ResolvedCredentials, now: datetime) -> "CachedCredentials":
        """Return credentials that were fetched *now*."""
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
        """Return the same credentials with a later end, to be refreshed after a pause."""
        shortest, longest = _ASK_AGAIN
        advisory = now + timedelta(seconds=shortest + random * (longest - shortest))
        mandatory = advisory + timedelta(seconds=_EXTENSION)
        credentials = self.resolved.credentials.replace(expiration=mandatory)
        resolved = self.resolved._replace(credentials=credentials)
        return CachedCredentials(resolved, advisory, mandatory)


class ChainCredentials:
    """
    A `CredentialsProvider` over the chain, for threads or tasks, as *system* says.

    Its threads, or its tasks, share one refresh.  The cached credentials are replaced as a whole, so
    that no caller sees half of a key.

    Args:
        system: Clocks and locks.
        context: Returns what the providers work with.
    """

    def __init__(self, system: System, context: Callable[[], Awaitable[Context]]) -> None:
        self._system = system
        self._context = context
        self._reset()

    def _reset(self) -> None:
        """Cache nothing: at first, and in a new generation, in which the lock may have been left taken."""
        self._generation = self._system.generation()
        self._lock = self._system.lock()
        self._cached: CachedCredentials | None = None
        self._next_attempt = float("-inf")
        self._failures = 0
        self._failure: RuntimeClientError | None = None

    def get(self) -> Credentials:
        """Return credentials, blocking if need be; for threads."""
        return run(self.aget())

    async def aget(self) -> Credentials:
        """Return credentials."""
        return await self.load(None)

    async def load(self, deadline: float | None) -> Credentials:
        """
        Return credentials; a fetch that takes longer than until *deadline* goes on for other callers.

        Raises:
            NoCredentialsError: No provider has any.
            CredentialProviderError: One is configured and fails, and none are cached that are valid.
            TransportError: There are none at the *deadline*.
        """
        if self._generation != self._system.generation():
            self._reset()
        cached = self._cached
        if cached is not None and not cached.resolved.spec.cached:
            cached = self._cached = await self._reloaded(cached)
        finish = self._system.finish_by
        if cached is None:
            return await finish(deadline, self._fetch)
        now = self._system.now()
        if cached.mandatory_refresh_at is not None and now >= cached.mandatory_refresh_at:
            return await finish(deadline, self._fetch)
        if cached.advisory_refresh_at is not None and now >= cached.advisory_refresh_at:
            return await finish(deadline, self._try_refresh, cached)
        return cached.resolved.credentials

    async def _reloaded(self, cached: CachedCredentials) -> CachedCredentials | None:
        """Return what the provider has now: the same object if it is equal, for the keys derived from it."""
        credentials = await cached.resolved.provider.load()
        if credentials is None:
            return None
        if credentials == cached.resolved.credentials:
            return cached
        return CachedCredentials(cached.resolved._replace(credentials=credentials))

    async def _try_refresh(self, cached: CachedCredentials) -> Credentials:
        """Return new credentials, or the cached ones if another caller refreshes them or it fails."""
        lock = self._lock
        if self._system.monotonic() < self._next_attempt or not lock.acquire_nowait():
            return cached.resolved.credentials
        try:
            if self._cached is cached:  # nobody has been faster
                self._cached = await self._refresh(cached)
        except RuntimeClientError as error:
            self._next_attempt = self._system.monotonic() + _BACKOFF
            ends = cached.resolved.credentials.expiration
            _log.warning("%s; what there is serves until %s", error, ends)
        finally:
            lock.release()
        return (self._cached or cached).resolved.credentials

    async def _fetch(self) -> Credentials:
        """Return new credentials; a caller that waits here for another's fetch shares its outcome."""
        lock, failures = self._lock, self._failures
        await lock.acquire()
        try:
            cached, now = self._cached, self._system.now()
            if cached is not None and (
                cached.mandatory_refresh_at is None or now < cached.mandatory_refresh_at
            ):
                return cached.resolved.credentials
            if self._failure is not None and self._failures != failures:
                raise copy(self._failure)  # each caller has his own: they note things in it
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
        """Ask the provider that answered before, or at first the chain."""
        try:
            resolved = await (
                search(await self._context()) if cached is None else _load_again(cached.resolved)
            )
            now = self._system.now()
            refuse_expired(resolved, now)
        except Exception as error:
            if cached is not None and cached.resolved.spec.static_stability:
                _log.warning("%s; its credentials are kept for now", _failure(error, cached))
                return cached.extended(self._system.now(), self._system.random())
            if isinstance(error, RuntimeClientError):
                raise
            raise _failure(error, cached) from error
        _log.debug(
            "credentials %s of %s, until %s",
            resolved.credentials.access_key_id,
            resolved.spec.name,
            resolved.credentials.expiration,
        )
        return CachedCredentials.fetched(resolved, now)


class ChainAuth(Auth):
    """
    Signs with SigV4 and the chain's credentials, which are awaited without a detour by threads or tasks.

    Args:
        chain: The chain.
    """

    def __init__(self, chain: ChainCredentials) -> None:
        self._chain = chain

    async def prepare(self, system: System, deadline: float | None) -> CredentialsAuth:
        """Return what signs the next attempt; raises what `ChainCredentials.load` raises."""
        return CredentialsAuth(await self._chain.load(deadline))


async def _load_again(resolved: ResolvedCredentials) -> ResolvedCredentials:
    """Ask one provider again."""
    credentials = await resolved.provider.load()
    if credentials is None:
        name = resolved.spec.name
        raise CredentialProviderError(
            f"{name} had credentials before, and has none now", provider=name
        )
    return resolved._replace(credentials=credentials)


def refuse_expired(resolved: ResolvedCredentials, now: datetime) -> None:
    """Refuse credentials that have ended already."""
    credentials, name = resolved.credentials, resolved.spec.name
    if credentials.expired(now):
        raise CredentialProviderError(
            f"{name} returned credentials that ended at {credentials.expiration}", provider=name
        )


def _failure(error: Exception, cached: CachedCredentials | None) -> RuntimeClientError:
    """Return an error of ours for anything that a provider raises."""
    if isinstance(error, RuntimeClientError):
        return error
    name = "chain" if cached is None else cached.resolved.spec.name
    failure = CredentialProviderError(
        f"the source of credentials failed: {type(error).__name__}", provider=name
    )
    failure.retryable = is_shortage(error)
    return failure
