"""Calls a model and waits for its response, which arrives as a whole or as a stream.

A model may have run although no response was received.  Therefore the request is retried only if
the model has certainly not run, unless the caller passes ``retry_model=True``.
"""

from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import TYPE_CHECKING

from .._aws.call import ServiceClient
from .._aws.operation import Operation, Progress
from .._inference.arguments import check_timeout, check_wait_until_ready
from .._inference.invoke_endpoint import ModelOutput, parse_output
from .._inference.members import OperationModel
from .._inference.model_errors import ModelNotReadyError, model_error, repeatable_model_error
from .._io.generation import importing
from .._io.message import Response
from .._io.system import System
from .._io.transport import Admission
from .session import Session

if TYPE_CHECKING:
    from .._inference.response_stream import EventReader

# If a model is not ready, the request is repeated after a pause: the first and the longest pause,
# in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0


class ModelCall:
    """One synchronous call to a model, whose response may be streamed.

    Args:
        system: Provides clocks and pauses.
        open_session: Returns the client's session.
        model: The table that describes the operation.
        arguments: The arguments of the operation, keyed by name; None counts as absent.
        retry_model: Whether to retry although the model may have run.
        wait_until_ready: For how many seconds from the start of the call the request is repeated if
            the model is not ready.
        timeout: The time limit of the whole call, in seconds; None uses the client's default.
    """

    def __init__(
        self,
        system: System,
        open_session: Callable[[], Awaitable[Session]],
        model: OperationModel,
        arguments: Mapping[str, object],
        retry_model: bool,
        wait_until_ready: float,
        timeout: float | None,
    ) -> None:
        self._system, self._open_session = system, open_session
        self._model, self._arguments = model, arguments
        self._retry_model = retry_model
        self._wait_until_ready, self._timeout = wait_until_ready, timeout
        self._admission: Admission | None = None
        self._reader: "EventReader | None" = None

    async def invoke(self) -> ModelOutput:
        """Send the request, and return the output of the model."""
        session, client, operation, start = await self._prepare()
        admission = Admission(session.transport, operation.deadline)
        try:
            return parse_output(await self._send(client, operation, start, admission))
        finally:
            await admission.release()

    async def open(self) -> "EventReader":
        """Send the request, and return the reader of the response after its first part has arrived.

        The caller must call `close` when the response has been read, or if this method raises an
        error.
        """
        with importing():
            from .._inference.response_stream import EventReader
        session, client, operation, start = await self._prepare()
        self._admission = admission = Admission(session.transport, operation.deadline)
        self._reader = reader = EventReader(session.transport, retry_model=self._retry_model)
        operation = operation._replace(send=reader.send)
        await self._send(client, operation, start, admission)
        reader.attempts = (operation.progress or Progress()).attempts
        return reader

    async def close(self) -> None:
        """Release the connection of a streamed response, and allow another call to start."""
        try:
            if self._reader is not None:
                await self._reader.aclose()
        finally:
            if self._admission is not None:
                await self._admission.release()

    async def _prepare(self) -> tuple[Session, ServiceClient, Operation, float]:
        """Check the arguments; return the session, service client, operation and start time."""
        if self._timeout is not None:
            check_timeout(self._timeout)
        check_wait_until_ready(self._wait_until_ready)
        start = self._system.monotonic()
        request = self._model.to_http(self._arguments)
        session = await self._open_session()
        is_routed = self._model.is_routed
        client, endpoint = session.router if is_routed else (session.runtime, session.endpoint)
        deadline = session.deadline(start, self._timeout)
        # All requests share one progress object.  It records whether any of them may have run the
        # model.
        operation = self._model.to_operation(endpoint, request, deadline, Progress())._replace(
            parse_error=repeatable_model_error if self._retry_model else model_error,
            retry_ambiguous=self._retry_model,
            read_timeout=session.read_timeout(self._model.read_timeout),
        )
        return session, client, operation, start

    async def _send(
        self, client: ServiceClient, operation: Operation, start: float, admission: Admission
    ) -> Response:
        """Send the request, and repeat it while the model is not ready and there is time.

        The caller must release *admission*.
        """
        deadline, pause = operation.deadline, _FIRST_PAUSE
        last = min(start + self._wait_until_ready, inf if deadline is None else deadline)
        while True:
            await admission.acquire()
            try:
                return await client.send(operation)
            except ModelNotReadyError as error:
                # An error of this class may have a status after which the model may have run.
                may_repeat = self._retry_model or not error.possibly_accepted
                if not may_repeat or self._system.monotonic() + pause > last:
                    raise
            await admission.release()  # other calls may start during the pause
            await self._system.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
