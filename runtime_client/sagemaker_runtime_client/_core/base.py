"""The base classes of the clients and of the operations, with their options and their session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar, Unpack, cast

from .._inference.arguments import as_bytes, check_timeout
from .._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC
from .._inference.members import OperationModel
from .._io.generation import importing
from .._io.message import Response
from .._io.system import Once, System
from .._io.transport import Admission
from .._settings.arguments import ClientOptions, check_option_names
from .._settings.config import SETTINGS, Config
from .session import Session

if TYPE_CHECKING:  # at run time, the first call that uses S3 imports this class
    from .._io.sources.opened import UploadSource
    from .._s3.objects import S3Location

T = TypeVar("T")

_NO_DEFAULTS: Mapping[str, object] = {}
_NO_CHANGES = Config()


class BaseOperations:
    """The base class of the classes that define operations.

    Args:
        system: Provides clocks and locks.
        open_session: Resolves the settings and opens the session; called by the first operation.
        owner: The operations of the client that owns the connections; None if this client owns
            them.
        changes: The settings in which this client differs from the owner.
        defaults: The default values for arguments of the operations, keyed by argument name.
    """

    def __init__(
        self,
        system: System,
        open_session: Callable[[], Awaitable[Session]],
        owner: Self | None = None,
        changes: Config = _NO_CHANGES,
        defaults: Mapping[str, object] = _NO_DEFAULTS,
    ) -> None:
        self._system = system
        self._owner, self._changes, self._defaults = owner, changes, defaults
        kept = self._close_if_closed if owner is None else None
        self._session = Once(system, open_session, kept)
        self._is_closed = False

    def with_options(self, **options: object) -> Self:
        """Return operations with other options, which share the connections of these operations.

        Args:
            options: The options in `ClientOptions`; None counts as absent.

        Raises:
            ConfigError: A setting is malformed.
            ParamValidationError: A default for an argument is invalid.
        """
        settings: dict[str, object] = {}
        defaults = dict(self._defaults)
        for name, value in options.items():
            if name in SETTINGS:
                settings[name] = value
            elif value is not None:
                INVOKE_ENDPOINT_ASYNC.members[name].check(name, value)
                defaults[name] = value
        owner, changes = self._owner or self, self._changes.with_changes(Config(settings))
        open_session = partial(owner.open_changed_session, changes)
        return type(self)(self._system, open_session, owner, changes, defaults)

    async def open_changed_session(self, changes: Config) -> Session:
        """Return a session with changed settings that shares this client's connections."""
        session = await self._session()
        return session.with_changes(changes)

    def _with_defaults(
        self, model: OperationModel, arguments: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Return *arguments*, in which defaults replace the arguments that are None or missing."""
        if not self._defaults:
            return arguments
        defaults = {
            name: value
            for name, value in self._defaults.items()
            if name in model.members and arguments.get(name) is None
        }
        return {**arguments, **defaults}

    async def _close_if_closed(self, session: Session) -> None:
        """Close the connections of *session* if the client was closed while it was being opened."""
        if self._is_closed:
            await session.transport.close()

    async def close(self) -> None:
        """Close the client's connections; a user-supplied HTTP client stays open.

        Calls in progress are not interrupted: a request that was sent or that waits for a
        connection is completed.  A `wait` that is between two polls opens a new connection for its
        next poll.  A closed client can be used again, but it closes each connection after one
        request, so that no connection is open when the last call ends.

        Closing a client that `with_options` has returned does nothing, because its connections
        belong to the original client.
        """
        if self._owner is not None:
            return
        self._is_closed = True
        if self._session.value is not None:
            await self._session.value.transport.close()

    def _start(self, timeout: float | None) -> float:
        """Check *timeout*, and return the start time of the call, on the monotonic clock."""
        if timeout is not None:
            check_timeout(timeout)
        return self._system.monotonic()

    async def _bytes(self, value: object, argument: str) -> bytes:
        """Return *value* as bytes.

        A bytearray or a memoryview is copied, because the caller could change it.  A value that is
        not bytes-like is rejected.
        """
        may_change = isinstance(value, bytearray | memoryview)
        size = memoryview(cast("bytes", value)).nbytes if may_change else 0
        return await self._system.compute(size, as_bytes, value, argument)

    @asynccontextmanager
    async def _small_or_open(
        self, content: object, argument: str, most: int
    ) -> AsyncGenerator[bytes | UploadSource]:
        """Return *content* as bytes if it has at most *most* bytes; otherwise, open its source."""
        size = _size_in_memory(content)
        if size is not None and size <= most:
            yield await self._bytes(content, argument)
            return
        with importing():
            from .uploads import small_or_open
        async with small_or_open(self._system, content, argument, most) as source:
            yield source

    async def call(
        self,
        model: OperationModel,
        parse: Callable[[Response], T],
        arguments: Mapping[str, object],
        timeout: float | None,
    ) -> T:
        """Check the arguments, send the request, and return the parsed response.

        Args:
            model: The table that describes the operation.
            parse: Converts a successful response into the result of the call.
            arguments: The argument values, keyed by name; None counts as absent.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The result of *parse*.
        """
        start = self._start(timeout)
        request = model.to_http(self._with_defaults(model, arguments))
        session = await self._session()
        deadline = session.deadline(start, timeout)
        operation = model.to_operation(session.endpoint, request, deadline)
        async with Admission(session.transport, deadline):
            response = await session.runtime.send(operation)
        return parse(response)


class BaseClient:
    """The base class of the clients, with `repr` and `with_options`; a client cannot be pickled."""

    _core: Any  # each client declares the exact type, a subclass of `BaseOperations`
    _shown: dict[str, object]

    def __repr__(self) -> str:
        """Return the class, profile, region and changed settings; other settings may be secret."""
        shown = [f"{name}={value!r}" for name, value in self._shown.items() if value is not None]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> Never:
        """Raise TypeError, because a client's connections and credentials belong to one process."""
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: create a client in each process"
        )

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """Return a client with other time limits, attempts or defaults, for some of the calls.

        The new client shares the connections, the credentials, the clock correction, the retry
        quotas and the rate limiters with this client.  This method sends nothing, reads no file,
        and takes microseconds, so a program may call it for each request.  This client does not
        change.

        If an option is None or missing, the new client uses the value from this client.  Settings
        that are not listed below cannot be changed: a client with another region, profile, endpoint
        or set of credentials needs its own connections and credentials, so it must be created with
        the constructor.

        Close only the original client.  Closing the new client, or leaving its ``with`` statement,
        closes nothing.  After the original client is closed, the new client behaves like a closed
        client, which the method ``close`` or ``aclose`` describes.

        Args:
            max_attempts: Maximum number of attempts per request, including the first one.
            retry_ambiguous: Whether to retry if the failed attempt may have queued a job.
            timeout: Time limit in seconds for each whole call that is made without a ``timeout``
                argument.
            connect_timeout: Time limit in seconds for establishing a connection.
            read_timeout: Time limit in seconds between two pieces of data that are sent or received,
                and for receiving the status line and all headers of a response.  It also replaces
                the longer time limits of `invoke_endpoint`, `stream_endpoint` and
                `invoke_inference_router`.  Requests of credential providers keep the time limits and
                attempts of the original client.
            app_id: The name of your application in the User-Agent header, up to 50 characters.
            request_checksum_calculation: ``when_supported`` sends a CRC32 checksum with uploads to
                S3; ``when_required`` omits it.
            response_checksum_validation: ``when_supported`` validates downloads from S3 against the
                stored checksum, if there is one; ``when_required`` skips the validation.
            allowed_locations: The buckets and prefixes from which the new client may read; they
                replace those of this client.
            expected_bucket_owner: The id of the AWS account that owns the buckets.
            content_type: The default *content_type* of all operations that call a model or queue a
                job.
            accept: The default *accept* of all operations that call a model or queue a job.
            custom_attributes: The default *custom_attributes* of all operations that call a model
                or queue a job.
            s3_output_path_extension: The default *s3_output_path_extension* of the operations that
                queue a job; the other operations ignore it.
            request_ttl_seconds: The default *request_ttl_seconds* of the operations that queue a
                job.
            invocation_timeout_seconds: The default *invocation_timeout_seconds* of the operations
                that queue a job.

        Returns:
            A client of the same class.

        Raises:
            TypeError: An argument is unknown, or it is a setting that cannot be changed; pass such
                a setting to the constructor of a new client.
            ConfigError: A setting is malformed.
            ParamValidationError: The default for an argument is invalid; `argument` is its name.
        """
        check_option_names(type(self).__name__, options)
        client = object.__new__(type(self))
        vars(client).update(vars(self))
        client._core = self._core.with_options(**options)
        changes = {name: value for name, value in options.items() if value is not None}
        client._shown = self._shown | {name: changes[name] for name in changes if name in SETTINGS}
        return client


def parse_location(text: str, argument: str = "location") -> S3Location:
    """Return the S3 location in *text*; if it is invalid, the error message mentions *argument*."""
    with importing():
        from .._s3.objects import S3Location

    return S3Location.parse(text, argument=argument)


def _size_in_memory(content: object) -> int | None:
    """Return the number of bytes in *content*, or None if it is not bytes-like."""
    if isinstance(content, bytes | bytearray | memoryview):
        return memoryview(cast("bytes", content)).nbytes
    return None
