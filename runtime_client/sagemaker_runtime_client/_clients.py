"""Both clients: settings in, and each operation of the core run to its end, or awaited."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial, wraps
from os import PathLike
from types import FunctionType, TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Concatenate,
    Never,
    ParamSpec,
    Self,
    TypeVar,
    Unpack,
    cast,
)

from sigv4 import Credentials, CredentialsLike, as_provider

from ._core.operations import Core
from ._core.session import SuppliedCredentials, open_session
from ._errors import ConfigError, ParamValidationError, TransportError
from ._inference.arguments import spellings
from ._io.files import is_shortage, shortage
from ._io.on_threads import sync_backend
from ._io.run import async_backend, is_async, run
from ._io.system import System
from ._settings.arguments import Settings, check_names, takes_settings
from ._settings.context import transport_opener

P = ParamSpec("P")
T = TypeVar("T")
Client = TypeVar("Client")

if TYPE_CHECKING:  # to evaluate them takes longer than all else here
    Operation = Callable[Concatenate[Core, P], Coroutine[Any, Any, T]]
    Method = Callable[Concatenate["_BaseClient", P], T]


class _BaseClient:
    """
    What both clients do: take the settings, and make the core that does the work.

    Safe to share between threads (blocking) or tasks (async).
    """

    _is_blocking: ClassVar[bool]

    @takes_settings
    def __init__(self, *positional: Never, **settings: Unpack[Settings]) -> None:
        """
        Take the settings; nothing is read, opened or sent before the first call.

        Where an argument is None, variables decide, then the profile in ``~/.aws/config``, then
        the default.

        Args:
            region: Such as ``eu-west-1``; ``AWS_REGION``, then ``AWS_DEFAULT_REGION``, then the
                profile's.
            profile: The profile of ``~/.aws/config`` and ``~/.aws/credentials``; ``AWS_DEFAULT_PROFILE``,
                ``AWS_PROFILE``, then ``default``.  One that is given here wins over keys in variables.
            credentials: The credentials, a `CredentialsProvider`, or a function that returns
                credentials (an async client takes an async one too, and calls a plain one in a
                thread, once at a time); by default those that boto3 and the AWS CLI would find, see
                `default_chain`, refreshed before they end.
            endpoint_url: An endpoint of your own for SageMaker Runtime;
                ``AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME``, then ``AWS_ENDPOINT_URL``.
            s3_endpoint_url: Likewise for S3; ``AWS_ENDPOINT_URL_S3``, then ``AWS_ENDPOINT_URL``.
            s3_addressing_style: ``virtual`` (bucket in the host), ``path``, or ``auto``, which takes
                the host unless an endpoint URL or the bucket's name speaks against it.
            use_fips_endpoint: Take endpoints with FIPS 140 cryptography; ``AWS_USE_FIPS_ENDPOINT``.
            use_dualstack_endpoint: Take endpoints that answer on IPv6 too;
                ``AWS_USE_DUALSTACK_ENDPOINT``.
            retry_mode: ``standard``, or ``adaptive``, which sends more slowly once AWS throttles;
                ``AWS_RETRY_MODE``.
            max_attempts: Requests a call, the first included; ``AWS_MAX_ATTEMPTS``, then 3.
            retry_ambiguous: Whether `invoke_endpoint_async` is tried again after an attempt that may
                have been taken; True.  False raises instead, and the job may be queued or not.
            timeout: Seconds that a call may take in all, from its start, where it is given no
                ``timeout`` of its own; no limit.  It includes the wait for a free connection,
                credentials, the upload, and all attempts with their pauses.
            connect_timeout: Seconds to connect; 10.
            read_timeout: Seconds between two pieces of what is sent or received, and for the whole
                head of an answer; 60.
            max_connections: How many connections are open at once at the most; 64.
            ca_bundle: Path of the certificates to trust; ``AWS_CA_BUNDLE``, then the profile's, then
                ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``.
            app_id: A name for your application in the user agent; ``AWS_SDK_UA_APP_ID``.
            request_checksum_calculation: ``when_supported`` sends the CRC32 of what is put into S3,
                ``when_required`` leaves it out; ``AWS_REQUEST_CHECKSUM_CALCULATION``.
            response_checksum_validation: ``when_supported`` checks what is got from S3 by the checksum
                that S3 has of it, ``when_required`` does not; ``AWS_RESPONSE_CHECKSUM_VALIDATION``.
            region_from_instance: Where nothing names a region, ask the metadata of the EC2 instance.
            http_client: A client of httpx or httpx2 to send with.  It stays yours: it is not closed,
                and its own auth, headers, cookies and redirects are not used.  The timeouts above
                hold, and its pool, TLS and proxies do.

        Raises:
            ConfigError: *http_client* is not a client of the right kind, or *credentials* are not
                credentials.  A malformed setting raises it at the first call.
        """
        check_names(type(self).__name__, positional, settings)
        credentials = settings.pop("credentials", None)
        http_client = settings.pop("http_client", None)
        if isinstance(ca_bundle := settings.get("ca_bundle"), PathLike):
            settings["ca_bundle"] = str(ca_bundle)
        backend = sync_backend if self._is_blocking else async_backend
        system, open_transport = System(backend), transport_opener(backend, http_client)
        source = self._check(credentials)
        self._core = Core(system, partial(open_session, system, open_transport, settings, source))
        self._shown = {name: settings.get(name) for name in ("profile", "region")}

    def __repr__(self) -> str:
        """Show for whom it is; whatever else it was given may hold a secret."""
        shown = [f"{name}={value!r}" for name, value in self._shown.items() if value is not None]
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def _check(cls, source: CredentialsLike | None) -> SuppliedCredentials:
        """Refuse a source of credentials that this client cannot ask."""
        if source is None or isinstance(source, Credentials):
            return source
        try:
            return as_provider(source, blocking=cls._is_blocking)
        except TypeError as error:
            raise ConfigError(str(error)) from None


def sync_method(operation: "Operation[P, T]") -> "Method[P, T]":
    """Return a method that runs an operation of the core to its end."""

    @wraps(operation)
    def call(self: _BaseClient, /, *args: "P.args", **kwargs: "P.kwargs") -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        if "on_invocation" in kwargs:
            _refuse_async(kwargs["on_invocation"], self)
        try:
            coroutine = operation(core, *args, **kwargs)
        except TypeError as error:
            raise _wrong_call(self, call.__name__, kwargs, error) from None
        try:
            return run(coroutine)
        except OSError as error:
            if not is_shortage(error):
                raise
            raise _shortage(error) from error

    return call


def async_method(operation: "Operation[P, T]") -> "Method[P, Coroutine[Any, Any, T]]":
    """Return a method that awaits an operation of the core."""

    @wraps(operation)
    async def call(self: _BaseClient, /, *args: "P.args", **kwargs: "P.kwargs") -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        try:
            coroutine = operation(core, *args, **kwargs)
        except TypeError as error:
            raise _wrong_call(self, call.__name__, kwargs, error) from None
        try:
            return await coroutine
        except OSError as error:
            if not is_shortage(error):
                raise
            raise _shortage(error) from error

    return call


def _refuse_async(listener: object, client: _BaseClient) -> None:
    if is_async(listener):
        raise ParamValidationError(
            f"on_invocation must be a plain function in {type(client).__name__}, which awaits "
            f"nothing, not the async {getattr(listener, '__name__', listener)}",
            argument="on_invocation",
        )


def _wrong_call(
    client: _BaseClient, method: str, names: Iterable[str], error: TypeError
) -> TypeError:
    """Return Python's error about the arguments with the public method in place of the private one."""
    _, _, fault = str(error).partition("() ")
    text = f"{type(client).__name__}.{method}() {fault}"
    return TypeError("; ".join([text, *spellings(names)]))


def _names_methods(client_class: type[Client]) -> type[Client]:
    """Name each method after the client, not after the operation, for errors and `repr`."""
    for name, method in vars(client_class).items():
        if isinstance(method, FunctionType):
            method.__name__, method.__qualname__ = name, f"{client_class.__name__}.{name}"
    return client_class


def _shortage(error: OSError) -> TransportError:
    """Return the error for a file or a module that could not be opened, with the job that it knows."""
    known = {name: getattr(error, name, None) for name in ("invocation", "inference_id")}
    is_queued = known["invocation"] is not None
    failure = shortage(
        "the call cannot go on",
        possibly_accepted=not is_queued and known["inference_id"] is not None,
    )
    vars(failure).update(known)
    return failure


@_names_methods
class SageMakerRuntimeClient(_BaseClient):
    """
    Amazon SageMaker asynchronous inference, blocking.

        with SageMakerRuntimeClient(region="eu-west-1") as client:
            output = client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = True

    invoke_endpoint_async = sync_method(Core.invoke_endpoint_async)
    submit = sync_method(Core.submit)
    wait = sync_method(Core.wait)
    infer = sync_method(Core.infer)
    put_object = sync_method(Core.put_object)
    get_object = sync_method(Core.get_object)
    head_object = sync_method(Core.head_object)
    close = sync_method(Core.close)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


@_names_methods
class AsyncSageMakerRuntimeClient(_BaseClient):
    """
    Amazon SageMaker asynchronous inference, on asyncio or trio.

        async with AsyncSageMakerRuntimeClient(region="eu-west-1") as client:
            output = await client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = False

    invoke_endpoint_async = async_method(Core.invoke_endpoint_async)
    submit = async_method(Core.submit)
    wait = async_method(Core.wait)
    infer = async_method(Core.infer)
    put_object = async_method(Core.put_object)
    get_object = async_method(Core.get_object)
    head_object = async_method(Core.head_object)
    aclose = async_method(Core.close)

    @classmethod
    def _check(cls, source: CredentialsLike | None) -> SuppliedCredentials:
        """Have a plain function called in a thread: it may block."""
        provider = super()._check(source)
        if provider is source or is_async(source):
            return provider
        from .credentials._function import FunctionInThread, PlainFunction

        return FunctionInThread(cast(PlainFunction, source))

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.aclose()
