"""What the two faces share: settings, and how a coroutine of the core becomes a method."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from inspect import signature
from os import PathLike
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, TypeVar

from sigv4 import CredentialsProvider, CredentialsSource, as_provider

from ._core.operations import Core
from ._errors import ConfigError, ParamValidationError, TransportError, is_shortage, shortage
from ._inference.arguments import spellings
from ._io.message import TransportOptions
from ._io.run import is_async, run
from ._io.system import IO
from ._io.transport import HTTPClient

P = ParamSpec("P")
T = TypeVar("T")
ChecksumMode = Literal["when_supported", "when_required"]


# How boto3 calls what is a setting here.
_KEYS = "credentials=sigv4.Credentials(...)"
_BOTO3 = {
    "aws_access_key_id": _KEYS,
    "aws_secret_access_key": _KEYS,
    "aws_session_token": _KEYS,
    "config": "arguments of their own, such as retry_mode, max_attempts and read_timeout",
    "max_pool_connections": "max_connections",
    "profile_name": "profile",
    "region_name": "region",
    "retries": "retry_mode and max_attempts",
    "total_max_attempts": "max_attempts",
    "user_agent_appid": "app_id",
    "verify": "ca_bundle",
}


def _explaining(
    init: Callable[Concatenate[Any, P], None],
) -> Callable[Concatenate[Any, P], None]:
    """Return the constructor, which says what is wrong with arguments in the words of its own class."""
    known = frozenset(signature(init).parameters)

    @wraps(init)
    def make(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:
        name = type(self).__name__
        if args:
            raise TypeError(f"{name} takes its settings by name, such as region='eu-west-1'")
        if unknown := sorted(kwargs.keys() - known):
            hints = [f"{word} is {_BOTO3[word]} here" for word in unknown if word in _BOTO3]
            text = f"{name} has no argument {', '.join(unknown)}"
            raise TypeError("; ".join([text, *hints]))
        init(self, *args, **kwargs)

    return make


class Face(ABC):
    """
    A client's own part: its settings, and the core that does the work.

    Safe to share between threads (blocking) or tasks (async).
    """

    _is_blocking: ClassVar[bool]

    @_explaining
    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        credentials: CredentialsSource | None = None,
        endpoint_url: str | None = None,
        s3_endpoint_url: str | None = None,
        s3_addressing_style: Literal["auto", "path", "virtual"] | None = None,
        use_fips_endpoint: bool | None = None,
        use_dualstack_endpoint: bool | None = None,
        retry_mode: Literal["standard", "adaptive", "legacy"] | None = None,
        max_attempts: int | None = None,
        retry_ambiguous: bool | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        max_connections: int | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        app_id: str | None = None,
        request_checksum_calculation: ChecksumMode | None = None,
        response_checksum_validation: ChecksumMode | None = None,
        region_from_instance: bool | None = None,
        http_client: HTTPClient | None = None,
    ) -> None:
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
        arguments = {
            "region": region,
            "profile": profile,
            "region_from_instance": region_from_instance,
            "endpoint_url": endpoint_url,
            "s3_endpoint_url": s3_endpoint_url,
            "s3_addressing_style": s3_addressing_style,
            "use_fips_endpoint": use_fips_endpoint,
            "use_dualstack_endpoint": use_dualstack_endpoint,
            "retry_mode": retry_mode,
            "max_attempts": max_attempts,
            "retry_ambiguous": retry_ambiguous,
            "timeout": timeout,
            "connect_timeout": connect_timeout,
            "read_timeout": read_timeout,
            "max_connections": max_connections,
            "ca_bundle": str(ca_bundle) if isinstance(ca_bundle, PathLike) else ca_bundle,
            "app_id": app_id,
            "request_checksum_calculation": request_checksum_calculation,
            "response_checksum_validation": response_checksum_validation,
        }
        io = self._io(lambda: self._core.transport_options, http_client)
        self._core = Core(io, arguments, self._provider(credentials))
        self._shown = {name: arguments[name] for name in ("profile", "region")}

    def __repr__(self) -> str:
        """Show for whom it is; whatever else it was given may hold a secret."""
        shown = [f"{name}={value!r}" for name, value in self._shown.items() if value is not None]
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def _provider(cls, source: CredentialsSource | None) -> CredentialsProvider | None:
        """Refuse what can give this face no credentials; an async function cannot in a blocking one."""
        try:
            return None if source is None else as_provider(source, blocking=cls._is_blocking)
        except TypeError as error:
            raise ConfigError(str(error)) from None

    @staticmethod
    @abstractmethod
    def _io(options: Callable[[], TransportOptions], http_client: HTTPClient | None) -> IO:
        """Return the outside world in this face's colour."""


def blocking(
    method: Callable[Concatenate[Core, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Face, P], T]:
    """Return a method that steps the core's coroutine to its end."""

    @wraps(method)
    def call(self: Face, /, *args: P.args, **kwargs: P.kwargs) -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        listener = kwargs.get("on_invocation")
        if listener is not None and is_async(listener):
            raise ParamValidationError(
                f"on_invocation must be a plain function in {type(self).__name__}, which awaits "
                f"nothing, not the async {getattr(listener, '__name__', listener)}",
                argument="on_invocation",
            )
        try:
            return run(_begun(type(self).__name__, core, method, args, kwargs))
        except OSError as error:
            if not is_shortage(error):
                raise
            raise _shortage(error) from error

    return call


def awaited(
    method: Callable[Concatenate[Core, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Face, P], Coroutine[Any, Any, T]]:
    """Return a method that awaits the core's coroutine."""

    @wraps(method)
    async def call(self: Face, /, *args: P.args, **kwargs: P.kwargs) -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        try:
            return await _begun(type(self).__name__, core, method, args, kwargs)
        except OSError as error:
            if not is_shortage(error):
                raise
            raise _shortage(error) from error

    return call


def _begun(
    face: str,
    core: Core,
    method: Callable[..., Coroutine[Any, Any, T]],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Coroutine[Any, Any, T]:
    """Return the core's coroutine; say what Python says of a wrong call in the caller's words."""
    try:
        return method(core, *args, **kwargs)
    except TypeError as error:
        text = str(error).replace("Core.", f"{face}.")
        raise TypeError("; ".join([text, *spellings(kwargs)])) from None


def _shortage(error: OSError) -> TransportError:
    """Return an error of ours for a file or a module that could not be opened, with the job that it has."""
    known = {name: getattr(error, name, None) for name in ("invocation", "inference_id")}
    is_queued = known["invocation"] is not None
    failure = shortage(
        "the call cannot go on",
        may_have_been_taken=not is_queued and known["inference_id"] is not None,
    )
    vars(failure).update(known)
    return failure
