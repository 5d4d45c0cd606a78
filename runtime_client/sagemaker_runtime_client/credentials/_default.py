"""The chain as a provider for whoever signs: `default_chain`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Self

from sigv4 import Credentials

from .._io.httpx_bridge import HTTPClient
from .._io.on_threads import sync_backend
from .._io.run import async_backend, run
from .._io.system import Once, System
from .._settings.context import Context, KeyPassphrase, MFAToken, transport_opener
from ._loading import open_context
from ._refresh import ChainCredentials

if TYPE_CHECKING:
    from .._io.concurrency import Backend


class DefaultChain:
    """
    Credentials as every AWS tool finds them: a `CredentialsProvider` that is to be closed.

    Blocking and async callers may share one.  What is found is kept for each of the two, and
    refreshed before it ends.
    """

    def __init__(
        self,
        http_client: HTTPClient | None,
        arguments: Mapping[str, str | None],
        mfa_token: MFAToken | None,
        key_passphrase: KeyPassphrase | None,
    ) -> None:
        given = (arguments, mfa_token, key_passphrase)
        is_async = hasattr(http_client, "__aenter__")
        self._threads = _Chain(sync_backend, None if is_async else http_client, *given)
        self._tasks = _Chain(async_backend, http_client if is_async else None, *given)

    def get(self) -> Credentials:
        """
        Return credentials, blocking if need be.

        Raises:
            NoCredentialsError: No source has any; the message lists what was tried.
            CredentialProviderError: One is configured, and failed.
            ConfigError: The shared files or a setting are malformed.
        """
        return run(self._threads.credentials.aget())

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop; raises what `get` raises."""
        return await self._tasks.credentials.aget()

    def close(self) -> None:
        """Close what `get` opened; a user-supplied client stays open."""
        run(self._threads.close())

    async def aclose(self) -> None:
        """Close what `aget` opened in this event loop, and what `get` opened."""
        await self._tasks.close()
        self.close()

    def __enter__(self) -> Self:
        """Return the chain."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return the chain."""
        return self

    async def __aexit__(self, *_details: object) -> None:
        """Close it."""
        await self.aclose()


class _Chain:
    """The chain for threads, or for tasks."""

    def __init__(
        self,
        backend: "Callable[[], Backend]",
        http_client: HTTPClient | None,
        arguments: Mapping[str, str | None],
        mfa_token: MFAToken | None,
        key_passphrase: KeyPassphrase | None,
    ) -> None:
        system = System(backend)
        open_transport = transport_opener(backend, http_client)
        self._context = Once(
            system,
            partial(open_context, system, open_transport, arguments, mfa_token, key_passphrase),
            self._close_if_closed,
        )
        self._is_closed = False
        self.credentials = ChainCredentials(system, self._context)

    async def _close_if_closed(self, context: Context) -> None:
        """Keep no connections of what is opened after `close`, or at the same time."""
        if self._is_closed:
            await context.transport.close()

    async def close(self) -> None:
        """Close what was opened."""
        self._is_closed = True
        if self._context.value is not None:
            await self._context.value.transport.close()


def default_chain(
    http_client: HTTPClient | None = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    ca_bundle: str | None = None,
    mfa_token: MFAToken | None = None,
    key_passphrase: KeyPassphrase | None = None,
) -> DefaultChain:
    """
    Return a provider of the credentials that boto3 and the AWS CLI would find.

        auth = SigV4Auth(Signer(SigV4("s3", "eu-west-1")), default_chain())

    In this order: variables, a role to assume, a web identity, IAM Identity Center, the credentials
    file, ``aws login``, a process, the config file, IAM Roles Anywhere, the container, the instance.
    Nothing is read or opened before the first call.

    Args:
        http_client: A client of httpx or httpx2, blocking or async, for the requests of callers
            of its kind.  It stays yours.
        profile: The profile of the shared files; ``AWS_DEFAULT_PROFILE``, ``AWS_PROFILE``, then
            ``default``.  One that is given here wins over keys in variables.
        region: Whose STS is asked; ``AWS_REGION``, ``AWS_DEFAULT_REGION``, then the profile's.
        ca_bundle: Path of the certificates to trust, where no *http_client* is given;
            ``AWS_CA_BUNDLE``, then the profile's.
        mfa_token: For profiles with ``mfa_serial``: takes the device's serial number and returns
            the code that it shows, at each refresh.  For async callers it may be ``async``.
        key_passphrase: For an encrypted private key of IAM Roles Anywhere: takes the key's path and
            returns the passphrase, at each refresh; likewise.
    """
    arguments = {"profile": profile, "region": region, "ca_bundle": ca_bundle}
    return DefaultChain(http_client, arguments, mfa_token, key_passphrase)
