"""The blocking and the async client, whose methods run the operations of `Core`."""

from functools import partial
from os import PathLike
from types import FunctionType, TracebackType
from typing import ClassVar, Never, Self, TypeVar, Unpack, cast

from sigv4 import Credentials, CredentialsLike, as_provider

from ._core.base import BaseClient
from ._core.methods import async_method, async_stream, sync_method, sync_stream
from ._core.operations import Core
from ._core.session import SuppliedCredentials, open_session
from ._errors import ConfigError
from ._io.on_threads import sync_backend
from ._io.run import async_backend, is_async
from ._io.system import System
from ._settings.arguments import Settings, check_argument_names, with_settings_signature
from ._settings.context import configure_log, transport_opener

Client = TypeVar("Client")


class _BaseClient(BaseClient):
    """The base class of both clients.

    A blocking client may be shared between threads, and an async client between tasks.
    """

    _core: Core
    _is_blocking: ClassVar[bool]

    @with_settings_signature
    def __init__(self, *positional: Never, **settings: Unpack[Settings]) -> None:
        """Create a client.  No file is read and nothing is sent before the first call.

        A setting that is None is looked up in the environment variables listed below, then in the
        profile in ``~/.aws/config``.  If neither sets it, the default applies.

        Args:
            region: The AWS region, such as ``eu-west-1``.  Environment variables: ``AWS_REGION``,
                then ``AWS_DEFAULT_REGION``.
            profile: The name of a profile in ``~/.aws/config`` and ``~/.aws/credentials``; the
                default is ``default``.  Environment variables: ``AWS_DEFAULT_PROFILE``, then
                ``AWS_PROFILE``.  A profile passed here takes precedence over credentials in
                environment variables.
            credentials: A `sigv4.Credentials`, a `sigv4.CredentialsProvider`, or a function that
                returns credentials.  An async client also accepts an async function; it calls a
                plain function in a thread, one call at a time.  By default, the client finds the
                same credentials as boto3 and the AWS CLI, and refreshes them before they expire;
                see `default_chain`.
            endpoint_url: A custom endpoint for SageMaker Runtime, such as ``https://host:port``.
                Environment variables: ``AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME``, then
                ``AWS_ENDPOINT_URL``.
            router_endpoint_url: A custom endpoint for SageMaker Inference Router Runtime.
                Environment variables: ``AWS_ENDPOINT_URL_SAGEMAKER_INFERENCE_ROUTER_RUNTIME``, then
                ``AWS_ENDPOINT_URL``.
            s3_endpoint_url: A custom endpoint for S3.  Environment variables:
                ``AWS_ENDPOINT_URL_S3``, then ``AWS_ENDPOINT_URL``.
            s3_addressing_style: ``path`` puts the name of the bucket into the path.  ``virtual``
                puts it into the host name if the name can be part of one.  ``auto`` (default) means
                ``path`` for a custom endpoint, and otherwise ``virtual``.
            use_fips_endpoint: Whether to use endpoints with FIPS 140 cryptography.  Environment
                variable: ``AWS_USE_FIPS_ENDPOINT``.
            use_dualstack_endpoint: Whether to use endpoints that also support IPv6.  Environment
                variable: ``AWS_USE_DUALSTACK_ENDPOINT``.
            retry_mode: ``standard``, or ``adaptive``, which also lowers the request rate while AWS
                throttles requests.  Environment variable: ``AWS_RETRY_MODE``.
            max_attempts: Maximum number of attempts per request, including the first one; default
                3.  Environment variable: ``AWS_MAX_ATTEMPTS``.
            retry_ambiguous: Whether to retry if the failed attempt may have queued a job; default
                True.  If False, the error is raised, and the job may or may not be queued.
            timeout: Time limit in seconds for each whole call that is made without a ``timeout``
                argument; no limit by default.  The time limit covers waiting for a free connection,
                credentials, the upload, all attempts and the pauses between them.
            connect_timeout: Time limit in seconds for establishing a connection; default 10.
            read_timeout: Time limit in seconds between two pieces of data that are sent or
                received, and for receiving the status line and all headers of a response.  The
                default is 60, but 70 for `invoke_endpoint` and `stream_endpoint`, and 170 for
                `invoke_inference_router`.
            max_connections: Maximum number of open connections; default 64.
            ca_bundle: Path of a PEM file with trusted certificates, or of a directory prepared by
                OpenSSL's ``c_rehash``.  Environment variable: ``AWS_CA_BUNDLE``.  If the profile
                does not set it either, ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` or
                ``SSL_CERT_DIR`` is used.
            app_id: The name of your application in the User-Agent header, up to 50 characters.
                Environment variable: ``AWS_SDK_UA_APP_ID``.
            request_checksum_calculation: ``when_supported`` (default) sends a CRC32 checksum with
                uploads to S3; ``when_required`` omits it.  Environment variable:
                ``AWS_REQUEST_CHECKSUM_CALCULATION``.
            response_checksum_validation: ``when_supported`` (default) validates downloads from S3
                against the stored checksum, if there is one; ``when_required`` skips the
                validation.  Environment variable: ``AWS_RESPONSE_CHECKSUM_VALIDATION``.
            allowed_locations: The buckets and prefixes from which `wait`, `infer`, `fetch`,
                `get_object` and `head_object` may read, as ``s3://bucket`` or
                ``s3://bucket/prefix/``.  Any other location raises `LocationNotAllowedError` before
                anything is requested from it, no matter who wrote the handle or the event.  By
                default, every location is allowed, except those of events.
            expected_bucket_owner: The id of the AWS account that owns the buckets, 12 digits.  S3
                rejects each request for a bucket of another account.  By default, S3 does not check
                the owner.
            region_from_instance: Whether to get the region from the EC2 instance metadata service
                if no region is configured; default False.
            http_client: An httpx or httpx2 client for all requests: ``Client`` for a blocking
                client, ``AsyncClient`` for an async one.  Its connection pool, TLS settings and
                proxies are used; its auth, headers, cookies and redirects are not.  The timeouts
                above apply.  The caller must close the httpx client, because this client never
                does.

        Raises:
            ConfigError: *http_client* or *credentials* is of the wrong type.  A malformed value of
                another setting raises this error at the first call.
            TypeError: An argument is positional or unknown.
        """
        check_argument_names(type(self).__name__, positional, settings)
        credentials = settings.pop("credentials", None)
        http_client = settings.pop("http_client", None)
        if isinstance(ca_bundle := settings.get("ca_bundle"), PathLike):
            settings["ca_bundle"] = str(ca_bundle)
        backend = sync_backend if self._is_blocking else async_backend
        system, open_transport = System(backend), transport_opener(backend, http_client)
        configure_log(system.environ)
        source = self._check(credentials)
        self._core = Core(system, partial(open_session, system, open_transport, settings, source))
        self._shown = {name: settings.get(name) for name in ("profile", "region")}

    @classmethod
    def _check(cls, source: CredentialsLike | None) -> SuppliedCredentials:
        """Check *source*, and return it; if it is a function, return a provider that calls it."""
        if source is None or isinstance(source, Credentials):
            return source
        try:
            return as_provider(source, blocking=cls._is_blocking)
        except TypeError as error:
            raise ConfigError(str(error)) from None


def _names_methods(client_class: type[Client]) -> type[Client]:
    """Set each method's name to its public name, which error messages and `repr` show."""
    for name, method in vars(client_class).items():
        if isinstance(method, FunctionType):
            method.__name__, method.__qualname__ = name, f"{client_class.__name__}.{name}"
    return client_class


@_names_methods
class SageMakerRuntimeClient(_BaseClient):
    """A blocking client for Amazon SageMaker inference.

    For example:

        with SageMakerRuntimeClient(region="eu-west-1") as client:
            output = client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = True

    invoke_endpoint_async = sync_method(Core.invoke_endpoint_async)
    submit = sync_method(Core.submit)
    wait = sync_method(Core.wait)
    infer = sync_method(Core.infer)
    fetch = sync_method(Core.fetch)
    invoke_endpoint = sync_method(Core.invoke_endpoint)
    stream_endpoint = sync_stream(Core.stream_endpoint)
    invoke_inference_router = sync_method(Core.invoke_inference_router)
    invoke_inference_router_async = sync_method(Core.invoke_inference_router_async)
    put_object = sync_method(Core.put_object)
    upload = sync_method(Core.upload)
    get_object = sync_method(Core.get_object)
    head_object = sync_method(Core.head_object)
    list_objects = sync_stream(Core.list_objects)
    delete_object = sync_method(Core.delete_object)
    delete_objects = sync_method(Core.delete_objects)
    presign_get = sync_method(Core.presign_get)
    presign_put = sync_method(Core.presign_put)
    abort_uploads = sync_method(Core.abort_uploads)
    download = sync_method(Core.download)
    download_all = sync_method(Core.download_all)
    open = sync_stream(Core.open)
    verify_sns = sync_method(Core.verify_sns)
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
        """Close the client."""
        self.close()


@_names_methods
class AsyncSageMakerRuntimeClient(_BaseClient):
    """An async client for Amazon SageMaker inference, on asyncio or trio.

    For example:

        async with AsyncSageMakerRuntimeClient(region="eu-west-1") as client:
            output = await client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = False

    invoke_endpoint_async = async_method(Core.invoke_endpoint_async)
    submit = async_method(Core.submit)
    wait = async_method(Core.wait)
    infer = async_method(Core.infer)
    fetch = async_method(Core.fetch)
    invoke_endpoint = async_method(Core.invoke_endpoint)
    stream_endpoint = async_stream(Core.stream_endpoint)
    invoke_inference_router = async_method(Core.invoke_inference_router)
    invoke_inference_router_async = async_method(Core.invoke_inference_router_async)
    put_object = async_method(Core.put_object)
    upload = async_method(Core.upload)
    get_object = async_method(Core.get_object)
    head_object = async_method(Core.head_object)
    list_objects = async_stream(Core.list_objects)
    delete_object = async_method(Core.delete_object)
    delete_objects = async_method(Core.delete_objects)
    presign_get = async_method(Core.presign_get)
    presign_put = async_method(Core.presign_put)
    abort_uploads = async_method(Core.abort_uploads)
    download = async_method(Core.download)
    download_all = async_method(Core.download_all)
    open = async_stream(Core.open)
    verify_sns = async_method(Core.verify_sns)
    aclose = async_method(Core.close)

    @classmethod
    def _check(cls, source: CredentialsLike | None) -> SuppliedCredentials:
        """Check *source*, and return it; a plain function will run in a thread, as it may block."""
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
        """Close the client."""
        await self.aclose()
