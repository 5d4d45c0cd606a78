"""Reads the events of InvokeEndpointWithResponseStream.

The response is a sequence of event-stream messages.  The payload of an event ``PayloadPart`` is the
next part of the model's response.  An exception ends the response.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from sigv4 import EventDecoder, EventStreamError, Message

from .._aws.error_response import MAX_CODE_LENGTH, without_secrets
from .._errors import RuntimeClientError, ServiceError, TransportError
from .._io.message import Request, Response
from .._io.open_response import OpenResponse
from .._io.transport import Transport
from .._limits import ERROR, ResponseLimit
from .model_errors import InternalStreamFailureError, ModelStreamError, ResponseStreamError
from .stream_endpoint import INVOKE_ENDPOINT_WITH_RESPONSE_STREAM

E = TypeVar("E", bound=RuntimeClientError)

_BY_TYPE: dict[str, type[ServiceError]] = {
    "ModelStreamError": ModelStreamError,
    "InternalStreamFailure": InternalStreamFailureError,
}
_MAX_TEXT_LENGTH = 2048  # the maximum length of Message in the service model
# The names of the request headers whose values no message may contain.
_SENSITIVE = frozenset(
    {"x-amz-security-token", *INVOKE_ENDPOINT_WITH_RESPONSE_STREAM.sensitive_headers}
)


class EventReader:
    """Sends one request, and reads the parts of its response.

    Args:
        transport: Sends the request.
        retry_model: Whether a failure before the first part may be retried.

    Attributes:
        head: The response without its body.
        attempts: The number of attempts of the call, which the caller sets, and which errors
            contain.
    """

    head: Response

    def __init__(self, transport: Transport, *, retry_model: bool) -> None:
        self._transport, self._retry_model = transport, retry_model
        self.attempts = 0
        self._secrets: list[str] = []
        self._opened: OpenResponse | None = None
        self._is_complete = False
        self._decoder = EventDecoder()
        self._first: list[bytes] = []  # the parts that were read but not yet returned
        self._failure: ServiceError | TransportError | None = None  # raised after the parts

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        /,
        *,
        limit: ResponseLimit,
        connect_timeout: float | None,
        read_timeout: float | None,
    ) -> Response:
        """Send the request, and wait for the first part of the response.

        An error response is returned.  An error in place of the first part is raised.
        """

        def make_and_note_secrets() -> Request:
            request = make()
            self._secrets = [value for name, value in request.headers if name in _SENSITIVE]
            return request

        opened = await self._transport.open(
            origin,
            make_and_note_secrets,
            deadline,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        self.head = opened.head
        if opened.head.ok:
            self._opened, self._decoder = opened, EventDecoder()
            try:
                self._first = await self.read()
            except BaseException:
                await self.aclose()
                raise
        return opened.head

    async def read(self) -> list[bytes]:
        """Return the next parts of the response, or an empty list at its end.

        Raises:
            ResponseStreamError: The response broke off, or it is not a valid event stream.
            ModelStreamError: The model failed.
            InternalStreamFailureError: The service failed.
            ServiceError: The service sent another error.
        """
        parts, self._first = self._first, []
        while not parts and self._failure is None and self._opened is not None:
            parts = await self._receive(self._opened)
        if not parts and self._failure is not None:
            await self.aclose()
            # The failure may have arrived together with the first part, before the number of
            # attempts was set.
            self._failure.attempts = self.attempts
            try:
                raise self._failure
            finally:  # the error, its traceback and this object would form a reference cycle
                self._failure = None
        if not parts and not self._is_complete:
            raise self._broken("the stream is closed: read it inside its `with` statement")
        return parts

    async def _receive(self, opened: OpenResponse) -> list[bytes]:
        """Read the next bytes, and return the parts in them.  Store a failure, or close at the end."""
        try:
            if piece := await opened.read():
                return self._payloads(self._decoder.feed(piece))
            self._decoder.finish()
            self._is_complete = True
            await self.aclose()
        except TransportError as error:
            self._failure = self._broken(error.message)
        except EventStreamError as error:
            self._failure = self._broken(f"the response is not a valid event stream: {error}")
        return []

    def _payloads(self, messages: Iterable[Message]) -> list[bytes]:
        """Return the payloads of *messages* up to the first error, and store the error."""
        parts: list[bytes] = []
        for message in messages:
            headers = message.headers
            kind = headers.get(":message-type")
            if kind == "event":
                if headers.get(":event-type") == "PayloadPart" and message.payload:
                    parts.append(message.payload)
            elif kind in {"exception", "error"}:
                self._failure = self._service_error(message)
                break
        return parts

    def _broken(self, reason: str) -> ResponseStreamError:
        head = self.head
        error = ResponseStreamError(reason, status_code=head.status, request_id=head.request_id)
        return self._completed(error)

    def _service_error(self, message: Message) -> ServiceError:
        """Return the error that *message* describes."""
        headers, fields = message.headers, _fields(message.payload)
        code = _text(headers.get(":exception-type")) or _text(headers.get(":error-code"))
        error = _BY_TYPE.get(code, ServiceError)(
            _text(fields.get("Message")) or _text(headers.get(":error-message")),
            code=code if 0 < len(code) <= MAX_CODE_LENGTH else None,
            status_code=self.head.status,
            request_id=self.head.request_id,
        )
        if isinstance(error, ModelStreamError):
            error.reason = _text(fields.get("ErrorCode")) or None
        return self._completed(error)

    def _completed(self, error: E) -> E:
        error.possibly_accepted = True
        error.retryable = error.retryable or self._retry_model
        return without_secrets(error, self._secrets)

    async def drain(self) -> None:
        """Release the connection, which can be reused if the response's end arrives immediately."""
        if self._opened is not None:
            await self._opened.drain()
        await self.aclose()

    async def aclose(self) -> None:
        """Release the connection, which is closed if the response was not read to its end."""
        opened, self._opened = self._opened, None
        self._first = []
        if opened is not None:
            await opened.aclose()


def _fields(payload: bytes) -> dict[str, object]:
    """Return the members of an exception; an empty dict if the payload is malformed or too large."""
    try:
        return dict(json.loads(payload[: ERROR.size]))
    except (ValueError, TypeError, RecursionError):
        return {}


def _text(value: object) -> str:
    """Return *value* if it is a string, at most as long as the service model allows."""
    return value[:_MAX_TEXT_LENGTH] if isinstance(value, str) else ""
