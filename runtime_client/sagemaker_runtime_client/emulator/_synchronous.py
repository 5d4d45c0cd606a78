"""Handles the synchronous and the streamed operations, from a verified request to the response."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from attrs import evolve, frozen

from ._faults import BrokenStream, Fault
from ._models.values import ModelFailure, ModelRequest, ModelResponse, container_message
from ._queue.queue import InvocationQueue
from ._reply import Reply, rejection
from ._sessions import NEW_SESSION, Sessions
from ._settings import Settings
from ._streaming import CONTENT_TYPE, open_stream
from ._target import Target
from ._validation import MAX_SYNCHRONOUS_SIZE, validation_error

T = TypeVar("T")

ACCOUNT = "000000000000"
# The maximum time that a model may take to respond, in seconds.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_TIMEOUT = 60.0
_DEFAULT_VARIANT = "AllTraffic"  # the default variant name in the SageMaker Python SDK


@frozen
class SynchronousRoutes:
    """Handles synchronous invocations, in which the response contains the model's output.

    Attributes:
        settings: The settings, which contain the region and the size of the parts of a stream.
        queue: Runs the model, in this case without queuing the request.
        sessions: The sessions of stateful models.
        stopping: An event that is set when the server stops, which ends the wait for a model.
    """

    settings: Settings
    queue: InvocationQueue
    sessions: Sessions
    stopping: asyncio.Event

    async def handle(
        self,
        target: Target,
        members: Mapping[str, str],
        request: ModelRequest,
        faults: tuple[Fault, ...],
    ) -> Reply:
        """Run the model, and return a response with its output.

        Args:
            target: The endpoint or the inference router.
            members: The valid members of the request, keyed by their names in the service model.
            request: The input of the model.
            faults: The faults for this request.

        Raises:
            RejectedRequestError: The model failed or took too long, the server stopped, or the
                session does not exist.
        """
        headers: dict[str, str] = {}
        session_id = members.get("sessionId")
        if session_id == NEW_SESSION:
            session_id, headers["x-amzn-sagemaker-new-session-id"] = self.sessions.open()
        elif session_id is not None and not self.sessions.is_open(session_id):
            raise validation_error(f"Session {session_id} not found or expired.", target)
        request = evolve(request, session_id=session_id)
        respond = self._streamed(request, faults) if target.is_streamed else self._whole(request)
        try:
            head, reply = await self._until_stopped(respond)
        except ModelFailure as failure:
            raise self._model_error(failure, request.endpoint_name) from None
        if head.closes_session and session_id is not None:
            self.sessions.close(session_id)
            if not target.is_streamed:
                headers["x-amzn-sagemaker-closed-session-id"] = session_id
        headers["x-amzn-invoked-production-variant"] = members.get(
            "targetVariant", _DEFAULT_VARIANT
        )
        if head.custom_attributes is not None:
            headers["x-amzn-sagemaker-custom-attributes"] = head.custom_attributes
        if target.is_routed:
            arn = f"arn:aws:sagemaker:{self.settings.region}:{ACCOUNT}:endpoint/{request.endpoint_name}"
            headers["x-amzn-sagemaker-invoked-routed-resource-arn"] = arn
            headers["x-amzn-sagemaker-invoked-routing-reason"] = "emulated"
        return evolve(reply, headers={**headers, **reply.headers})

    async def _whole(self, request: ModelRequest) -> tuple[ModelResponse, Reply]:
        """Run the model; return the head of its output, and a response with the whole output."""
        head, body = await self.queue.invoke(request, _TIMEOUT, MAX_SYNCHRONOUS_SIZE)
        return head, Reply(200, {"content-type": head.content_type}, body)

    async def _streamed(
        self, request: ModelRequest, faults: tuple[Fault, ...]
    ) -> tuple[ModelResponse, Reply]:
        """Run the model until its first part; return the head of its output, and its stream."""
        fault = next((one for one in faults if isinstance(one, BrokenStream)), None)
        stream = await open_stream(self.queue, request, self.settings.part_size, fault)
        headers = {
            "content-type": CONTENT_TYPE,
            "x-amzn-sagemaker-content-type": stream.head.content_type,
        }
        return stream.head, Reply(200, headers, stream=stream)

    async def _until_stopped(self, response: Coroutine[Any, Any, T]) -> T:
        """Wait for the response of a model, and return it.

        Raises:
            ModelFailure: The model failed, or the server stopped before the model responded.
        """
        running = asyncio.create_task(response)
        stopped = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            raise ModelFailure("The emulator stopped.")
        return await running

    def _model_error(self, failure: ModelFailure, endpoint_name: str) -> Exception:
        """Return the service's error for a failure of the model."""
        logs = f"arn:aws:logs:{self.settings.region}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints"
        return rejection(
            424,
            "ModelError",
            container_message(failure.status_code, failure.message),
            OriginalStatusCode=failure.status_code,
            OriginalMessage=failure.message,
            LogStreamArn=f"{logs}/{endpoint_name}",
        )
