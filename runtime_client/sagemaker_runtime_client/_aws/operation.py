"""One call to a service: what is sent, how its answer is judged, how far it has come, and its result."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from .._errors import ServiceError
from .._io.message import Request, Response
from .._limits import ANSWER, AnswerLimit
from .auth import Auth
from .endpoint import Endpoint


def is_no_success(response: Response) -> bool:
    """Tell whether the status is none of 2xx."""
    return not response.ok


class Reply(NamedTuple):
    """
    A success, and how it came about.

    Attributes:
        response: The answer.
        attempts: How many requests were sent.
        taken_since: When the first of the attempts began that may have been taken before the last, on
            the monotonic clock; None if there is none.
    """

    response: Response
    attempts: int
    taken_since: float | None = None

    @property
    def possibly_duplicated(self) -> bool:
        """Whether the service may have taken more than one of the attempts."""
        return self.taken_since is not None


class Progress:
    """
    How far a call has come, for whoever catches what ends it from outside: an interrupt, a cancellation.

    Attributes:
        is_under_way: Whether a request is sent, or was, and what became of it is not known.
        taken_since: When the first attempt began that may have been taken all the same, on the
            monotonic clock; None if there is none.
    """

    __slots__ = ("is_under_way", "taken_since")

    def __init__(self) -> None:
        self.is_under_way = False
        self.taken_since: float | None = None

    @property
    def may_have_been_taken(self) -> bool:
        """Whether some attempt may have reached the service."""
        return self.is_under_way or self.taken_since is not None

    def end(self, began: float, *, taken: bool) -> bool:
        """Note that the attempt failed that *began* then; return `may_have_been_taken`."""
        self.is_under_way = False
        if taken and self.taken_since is None:
            self.taken_since = began
        return self.may_have_been_taken


class Call(NamedTuple):
    """
    What to send, where to, and how to judge what comes.

    Attributes:
        endpoint: Where to, and what it is signed for.
        request: What to send.
        parse_error: Makes an error of an answer that is one.
        is_error: Whether an answer is an error.
        idempotent: Whether sending it twice does the same as sending it once.
        limit: How much of a success is taken.
        deadline: When to have done, on the monotonic clock; None for no limit but those of a
            connection.
        auth: How it is authenticated; None as all calls of the caller are.
        check: Raises what is wrong with an answer that is a success; None takes them all.
        is_poll: Whether it is one of many: a failure that may pass is left to the next one, and the
            quota of retries, which it would use up for all other calls, has no part in it.
        progress: Is told how far the call has come; None if nobody asks.
    """

    endpoint: Endpoint
    request: Request
    parse_error: Callable[[Response], ServiceError]
    is_error: Callable[[Response], bool] = is_no_success
    idempotent: bool = True
    limit: AnswerLimit = ANSWER
    deadline: float | None = None
    auth: Auth | None = None
    check: Callable[[Response], None] | None = None
    is_poll: bool = False
    progress: Progress | None = None

    def __repr__(self) -> str:
        """Return the request's line, for the log."""
        return f"{self.request.method} {self.endpoint.origin}{self.request.path}"


def attempt_headers(
    invocation_id: str, attempt: int, max_attempts: int, ends: datetime | None
) -> list[tuple[str, str]]:
    """
    Return what tells AWS which attempt of which call this is, and when it *ends* by the service's clock.

    Source: botocore 1.44, handlers.py, add_retry_headers.
    """
    parts = [f"attempt={attempt}", f"max={max_attempts}"]
    if ends is not None:
        parts.insert(0, f"ttl={ends:%Y%m%dT%H%M%SZ}")
    return [("amz-sdk-invocation-id", invocation_id), ("amz-sdk-request", "; ".join(parts))]
