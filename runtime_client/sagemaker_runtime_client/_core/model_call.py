"""Calls a model and waits for its response, which arrives as a whole or as a stream.

A model may have run although no response was received.  So the request is retried only if the model
has certainly not run, unless the caller passes ``retry_model=True``.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from math import inf
from typing import TYPE_CHECKING

from .._aws.attempts import Progress
from .._aws.call import ServiceClient
from .._aws.operation import Operation
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

# The first and the longest pause before a request to a model that was not ready is repeated, in
# seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0


class ModelCall:
    """One synchronous call to a model.

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

    async def invoke(self) -> ModelOutput:
        """Send the request, and return the output of the model."""
        session, client, operation, start = await self._prepare()
        response, admission = await self._send(session, client, operation, start)
        await admission.aclose()
        return parse_output(response)

    async def open(self, held: AsyncExitStack) -> "EventReader":
        """Send the request, and return the reader of the response after its first part has arrived.

        Args:
            held: Receives what the call holds: its admission and its connection.  The caller must
                close it, also if this method raises an error.
        """
        with importing():
            from .._inference.response_stream import EventReader
        session, client, operation, start = await self._prepare()
        reader = EventReader(session.transport, retry_model=self._retry_model)
        held.push_async_callback(reader.aclose)
        operation = operation._replace(send=reader.send)
        _, admission = await self._send(session, client, operation, start)
        held.push_async_callback(admission.aclose)
        reader.attempts = (operation.progress or Progress()).attempts
        return reader

    async def _prepare(self) -> tuple[Session, ServiceClient, Operation, float]:
        """Check the arguments; return the session, its client, the operation and the start time."""
        if self._timeout is not None:
            check_timeout(self._timeout)
        check_wait_until_ready(self._wait_until_ready)
        start = self._system.monotonic()
        request = self._model.to_http(self._arguments)
        session = await self._open_session()
        is_routed = self._model.is_routed
        client, endpoint = session.router if is_routed else (session.runtime, session.endpoint)
        deadline = session.deadline(start, self._timeout)
        # One progress object is shared by all requests, so that none that may have run is forgotten.
        operation = self._model.to_operation(endpoint, request, deadline, Progress())._replace(
            parse_error=repeatable_model_error if self._retry_model else model_error,
            retry_ambiguous=self._retry_model,
            read_timeout=session.read_timeout(self._model.read_timeout),
        )
        return session, client, operation, start

    async def _send(
        self, session: Session, client: ServiceClient, operation: Operation, start: float
    ) -> tuple[Response, AsyncExitStack]:
        """Send the request, repeatedly if the model is not ready and there is time.

        Return the response and the call's admission, which the caller must close.
        """
        deadline, pause = operation.deadline, _FIRST_PAUSE
        while True:
            try:
                async with AsyncExitStack() as held:
                    await held.enter_async_context(Admission(session.transport, deadline))
                    response = await client.send(operation)
                    return response, held.pop_all()
            except ModelNotReadyError as error:
                ends = self._system.monotonic() + pause
                last = min(start + self._wait_until_ready, inf if deadline is None else deadline)
                # An error of this class may have a status after which the model may have run.
                if ends > last or (error.possibly_accepted and not self._retry_model):
                    raise
            await self._system.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
