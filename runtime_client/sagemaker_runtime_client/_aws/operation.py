"""One call to a service: what is sent, where to, and how its answer is judged."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from .._errors import ServiceError
from .._io.message import Request, Response
from .._limits import RESPONSE, ResponseLimit
from .attempts import Progress
from .auth import Auth
from .endpoint import Endpoint


class Operation(NamedTuple):
    """
    What to send, where to, and how to judge what comes.

    Attributes:
        endpoint: Where to, and what it is signed for.
        request: What to send.
        parse_error: Makes an error of an answer that is one.
        is_error: Tells whether an answer is an error; None takes the status, which is 2xx for a success.
        idempotent: Whether sending it twice does the same as sending it once.
        limit: How much of a success is taken.
        deadline: When to have done, on the monotonic clock; None for no limit but those of a
            connection.
        auth: How it is authenticated; None as all operations of the client are.
        check: Raises what is wrong with an answer that is a success; None takes them all.
        is_poll: Whether it is one of many: a failure that may pass is left to the next one, and the
            quota of retries, which it would use up for all other calls, has no part in it.
        progress: Is told how far the call has come; None if nobody asks.
        sensitive_headers: Names of the request's headers whose values no message may show.
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

    @property
    def secrets(self) -> list[str]:
        """What of the request no message may show."""
        return [value for name, value in self.request.headers if name in self.sensitive_headers]

    def __repr__(self) -> str:
        """Return the request's line, for the log."""
        return f"{self.request.method} {self.endpoint.origin}{self.request.path}"
