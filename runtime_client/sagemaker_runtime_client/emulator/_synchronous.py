"""Handles requests for synchronous and streamed operations whose signature has been verified."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from threading import Event
from typing import Any, TypeVar

from attrs import evolve, frozen

from ._fault_types import BrokenStream, Fault
from ._models.values import ModelFailure, ModelRequest, ModelResponse, container_message
from ._queue.queue import CAPACITY_STATUSES, InvocationQueue
from ._reply import Reply, rejection
from ._sessions import NEW_SESSION, Sessions
from ._settings import ACCOUNT, Settings
from ._streaming import CONTENT_TYPE, open_stream
from ._target import Target
from ._validation import MAX_SYNCHRONOUS_SIZE, validation_error

T = TypeVar("T")

# The maximum time that a model may take to respond, in seconds.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_TIMEOUT = 60.0
# The maximum number of destinations that a router tries, and the reasons for its choice.
# Source: service model sagemaker-inference-router-runtime 2026-01-01.
_ATTEMPTS = 2
_FIRST_CHOICE, _MOVED = "local-preferred", "failover"
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
        destinations: tuple[str, ...],
        faults: tuple[Fault, ...],
    ) -> Reply:
        """Run the model, and return a response with its output.

        Args:
            target: The endpoint or the inference router.
            members: The valid members of the request, keyed by their names in the service model.
            request: The input of the model.
            destinations: The names of the endpoints that are tried, in this order.
            faults: The faults for this request.

        Raises:
            RejectedRequestError: The model failed or took too long, the server stopped, the
                session does not exist, or no destination has the capacity for the request.
        """
        headers: dict[str, str] = {}
        session_id = members.get("sessionId")
        if session_id == NEW_SESSION:
            session_id, headers["x-amzn-sagemaker-new-session-id"] = self.sessions.open()
        elif session_id is not None and not self.sessions.is_open(session_id):
            raise validation_error(f"Session {session_id} not found or expired.", target)
        request = evolve(request, session_id=session_id)
        head, reply = await self._run(target, request, destinations, faults)
        if head.closes_session and session_id is not None:
            self.sessions.close(session_id)
            if not target.is_streamed:
                headers["x-amzn-sagemaker-closed-session-id"] = session_id
        headers["x-amzn-invoked-production-variant"] = members.get(
            "targetVariant", _DEFAULT_VARIANT
        )
        if head.custom_attributes is not None:
            headers["x-amzn-sagemaker-custom-attributes"] = head.custom_attributes
        return evolve(reply, headers={**headers, **reply.headers})

    async def _run(
        self,
        target: Target,
        request: ModelRequest,
        destinations: tuple[str, ...],
        faults: tuple[Fault, ...],
    ) -> tuple[ModelResponse, Reply]:
        """Run the model on the first destination that has the capacity for the request.

        Returns:
            The head of the model's output, and a response with the output.

        Raises:
            RejectedRequestError: The model failed on each destination that was tried, or none has
                the capacity.
        """
        error: Exception = rejection(
            503,
            "ServiceUnavailableException",
            "No destination of the routing target has the capacity for the request.",
        )
        for name in self._candidates(target, destinations):
            attempt = evolve(request, endpoint_name=name, cancelled=Event())
            run = self._streamed(attempt, faults) if target.is_streamed else self._whole(attempt)
            try:
                head, reply = await self._until_stopped(run)
            except ModelFailure as failure:
                error = self._model_error(failure, name)
                if failure.status_code not in CAPACITY_STATUSES:
                    break
            else:
                routing = self._routing(name, destinations) if target.is_routed else {}
                return head, evolve(reply, headers={**reply.headers, **routing})
        raise error

    def _candidates(self, target: Target, destinations: tuple[str, ...]) -> Sequence[str]:
        """Return the names of the endpoints to try; a router skips those without capacity."""
        if not target.is_routed:
            return destinations
        return [name for name in destinations if self.queue.has_capacity(name)][:_ATTEMPTS]

    def _routing(self, name: str, destinations: tuple[str, ...]) -> dict[str, str]:
        """Return the headers in which a router reports the chosen endpoint and the reason."""
        return {
            "x-amzn-sagemaker-invoked-routed-resource-arn": (
                f"arn:aws:sagemaker:{self.settings.region}:{ACCOUNT}:endpoint/{name}"
            ),
            "x-amzn-sagemaker-invoked-routing-reason": (
                _FIRST_CHOICE if name == destinations[0] else _MOVED
            ),
        }

    async def _whole(self, request: ModelRequest) -> tuple[ModelResponse, Reply]:
        """Run the model; return the head of its output, and a response with the whole output."""
        head, body = await self.queue.invoke(request, _TIMEOUT, MAX_SYNCHRONOUS_SIZE)
        return head, Reply(200, {"content-type": head.content_type}, body)

    async def _streamed(
        self, request: ModelRequest, faults: tuple[Fault, ...]
    ) -> tuple[ModelResponse, Reply]:
        """Run the model until its first part; return the output's head, and a streamed response."""
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
