"""An operation: a request to a service, and the rules for its response."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ServiceError, TransportError
from .._io.message import Request, Response
from .._limits import RESPONSE, ResponseLimit
from .attempts import Progress
from .auth import Auth
from .endpoint import Endpoint

if TYPE_CHECKING:  # creating a protocol at run time would slow down the first call
    from collections.abc import Awaitable
    from typing import Protocol

    class Send(Protocol):
        """A function that sends a request, such as `Transport.send`."""

        def __call__(
            self,
            origin: str,
            make: Callable[[], Request],
            deadline: float | None,
            /,
            *,
            limit: ResponseLimit,
            connect_timeout: float | None,
            read_timeout: float | None,
        ) -> Awaitable[Response]: ...


class Operation(NamedTuple):
    """A request, its endpoint, and the rules for its response.

    Attributes:
        endpoint: The endpoint, with the service and region names for the signature.
        request: The request without authentication.
        parse_error: Returns the error in an error response.
        is_error: Returns whether a response is an error; None treats every status except 2xx as an
            error.
        idempotent: Whether sending the request twice has the same effect as sending it once.
        limit: The size limit of a successful response.
        deadline: The end of the call, on the monotonic clock.  If it is None, only the timeouts of
            the connection limit the call.
        auth: The authentication; None uses the client's authentication.
        check: Raises an error for an invalid successful response; None accepts every successful
            response.
        is_poll: Whether the request is one of a series of polls.  A failed poll is not retried,
            because the next poll follows; only a correction of the clock repeats it.  Polls do not
            use the retry quota, which they would exhaust for all other calls.
        progress: Updated as the call proceeds; None if it is not needed.
        sensitive_headers: The names of request headers whose values no message may contain.
        retry_ambiguous: Whether to retry after an attempt that the service may have accepted.  None
            uses the client's setting.
        read_timeout: The read timeout of the request, in seconds; None uses the client's setting.
        send: The function that sends each attempt; None uses the transport's `send`.
    """

    endpoint: Endpoint
    request: Request
    parse_error: Callable[[Response], ServiceError]
    is_error: Callable[[Response], bool] | None = None
    idempotent: bool = True
    limit: ResponseLimit = RESPONSE
    deadline: float | None = None
    auth: Auth | None = None
    check: Callable[[Response], None] | None = None
    is_poll: bool = False
    progress: Progress | None = None
    sensitive_headers: Collection[str] = ()
    retry_ambiguous: bool | None = None
    read_timeout: float | None = None
    send: "Send | None" = None

    @property
    def needs_body(self) -> bool:
        """Whether a successful response counts as a failure if its body is incomplete."""
        return self.idempotent or not self.limit.is_truncated

    def incomplete_error(self, response: Response) -> TransportError:
        """Return the error for a successful response with an incomplete body."""
        error = TransportError(
            f"{self}: the response ended before it was complete", status_code=response.status
        )
        error.possibly_accepted = not self.idempotent
        return error

    @property
    def secrets(self) -> list[str]:
        """The values of the request's sensitive headers, which no message may contain."""
        return [value for name, value in self.request.headers if name in self.sensitive_headers]

    def __repr__(self) -> str:
        """Return the method and the URL of the request, for messages and log lines."""
        return f"{self.request.method} {self.endpoint.origin}{self.request.path}"
