"""`default_chain`: the credential chain as a provider for any signer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Self

from sigv4 import Credentials

from .._io.httpx_bridge import HTTPClient
from .._io.on_threads import sync_backend
from .._io.run import async_backend, run
from .._io.system import Once, System
from .._settings.context import Context, KeyPassphrase, MFAToken, configure_log, transport_opener
from ._chain import open_context
from ._refresh import ChainCredentials

if TYPE_CHECKING:
    from .._io.concurrency import Backend


class DefaultChain:
    """A `CredentialsProvider` that finds credentials where the AWS SDKs find them; close it after use.

    Blocking and async callers may share one object.  Each of the two kinds of callers has its own
    cache, in which the credentials are refreshed before they expire.
    """

    def __init__(
        self,
        http_client: HTTPClient | None,
        arguments: Mapping[str, str | None],
        mfa_token: MFAToken | None,
        key_passphrase: KeyPassphrase | None,
    ) -> None:
        settings = (arguments, mfa_token, key_passphrase)
        is_async = hasattr(http_client, "__aenter__")
        self._threads = _Chain(sync_backend, None if is_async else http_client, *settings)
        self._tasks = _Chain(async_backend, http_client if is_async else None, *settings)

    def get(self) -> Credentials:
        """Return credentials; the call blocks while they are loaded.

        Raises:
            NoCredentialsError: No provider has credentials; the message lists the providers tried.
            CredentialProviderError: A provider is configured but failed.
            ConfigError: A shared file cannot be read, the selected profile does not exist, or a
                setting is malformed.
        """
        return run(self._threads.credentials.aget())

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop; raises the same errors as `get`."""
        return await self._tasks.credentials.aget()

    def close(self) -> None:
        """Close the connections that `get` opened; a user-supplied HTTP client stays open."""
        run(self._threads.close())

    async def aclose(self) -> None:
        """Close the connections that `aget` opened in this event loop and those that `get` opened."""
        await self._tasks.close()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_details: object) -> None:
        await self.aclose()


class _Chain:
    """The chain for one kind of caller: blocking callers (threads) or async callers (tasks)."""

    def __init__(
        self,
        backend: "Callable[[], Backend]",
        http_client: HTTPClient | None,
        arguments: Mapping[str, str | None],
        mfa_token: MFAToken | None,
        key_passphrase: KeyPassphrase | None,
    ) -> None:
        system = System(backend)
        configure_log(system.environ)
        open_transport = transport_opener(backend, http_client)
        self._context = Once(
            system,
            partial(open_context, system, open_transport, arguments, mfa_token, key_passphrase),
            self._close_if_closed,
        )
        self._is_closed = False
        self.credentials = ChainCredentials(system, self._context)

    async def _close_if_closed(self, context: Context) -> None:
        """Close the transport of *context* if the context was opened during or after `close`."""
        if self._is_closed:
            await context.transport.close()

    async def close(self) -> None:
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
    """Return a provider that finds credentials like boto3 does, and also uses IAM Roles Anywhere.

        auth = SigV4Auth(Signer(SigV4("s3", "eu-west-1")), default_chain())

    The providers are tried in this order: environment variables, a role to assume, a web identity,
    IAM Identity Center, the credentials file, ``aws login``, a process, the config file, IAM Roles
    Anywhere, the container, the instance.  No file is read and no connection is opened before the
    first call of `get` or `aget`.

    Args:
        http_client: A blocking or async httpx or httpx2 client.  It sends the requests for callers
            of the same kind (blocking or async), and the chain never closes it.
        profile: The profile to use from the shared files; by default ``AWS_DEFAULT_PROFILE``, then
            ``AWS_PROFILE``, then ``default``.  A profile passed here takes precedence over
            credentials in environment variables.
        region: The region of the STS endpoint; by default ``AWS_REGION``, then
            ``AWS_DEFAULT_REGION``, then the profile's region.
        ca_bundle: The path of a PEM file of trusted certificates for requests that *http_client*
            does not send; by default ``AWS_CA_BUNDLE``, then the profile's setting, then
            ``REQUESTS_CA_BUNDLE``.
        mfa_token: A function that returns the current MFA code, for profiles with ``mfa_serial``.
            It is called at each refresh with the device's serial number.  For async callers it may
            be async.
        key_passphrase: A function that returns the passphrase of an encrypted private key for IAM
            Roles Anywhere.  It is called at each refresh with the path of the key.  For async
            callers it may be async.

    Raises:
        ConfigError: *http_client* is not an httpx or httpx2 client.
    """
    arguments = {"profile": profile, "region": region, "ca_bundle": ca_bundle}
    return DefaultChain(http_client, arguments, mfa_token, key_passphrase)
