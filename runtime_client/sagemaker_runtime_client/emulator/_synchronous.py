"""Handles InvokeEndpoint and InvokeInferenceRouter, from a verified request to the response."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from attrs import define, evolve, field, frozen

from ._models import ModelFailure, ModelRequest, ModelResponse, container_message
from ._queue import InvocationQueue
from ._reply import Reply, rejection
from ._target import Target
from ._validation import validation_error

NEW_SESSION = "NEW_SESSION"
ACCOUNT = "000000000000"
# The maximum time that a model may take to respond, in seconds.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_TIMEOUT = 60.0
_SESSION_LIFETIME = timedelta(minutes=20)
_DEFAULT_VARIANT = "AllTraffic"  # the default variant name in the SageMaker Python SDK


@define(eq=False)
class Sessions:
    """The sessions of stateful models.

    Attributes:
        now: Returns the time of the server's clock.
    """

    now: Callable[[], datetime]
    _expiries: dict[str, datetime] = field(factory=dict[str, datetime], init=False)

    def open(self) -> tuple[str, str]:
        """Open a session, and return its ID and the value of the response header that reports it."""
        session_id, expires = str(uuid4()), self.now() + _SESSION_LIFETIME
        self._expiries[session_id] = expires
        return session_id, f"{session_id}; Expires={expires:%Y-%m-%dT%H:%M:%SZ}"

    def is_open(self, session_id: str) -> bool:
        """Return whether a session exists and has not expired."""
        return session_id in self._expiries and self.now() < self._expiries[session_id]


@frozen
class SynchronousRoutes:
    """Handles synchronous invocations, in which the response contains the model's output.

    Attributes:
        region: The region of the endpoints.
        queue: Runs the model, in this case without queuing the request.
        sessions: The sessions of stateful models.
        stopping: An event that is set when the server stops, which ends the wait for a model.
    """

    region: str
    queue: InvocationQueue
    sessions: Sessions
    stopping: asyncio.Event

    async def handle(
        self, target: Target, members: Mapping[str, str], request: ModelRequest
    ) -> Reply:
        """Run the model, and return a response with its output.

        Args:
            target: The endpoint or the inference router.
            members: The valid members of the request, keyed by their names in the service model.
            request: The input of the model.

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
        try:
            response = await self._run(evolve(request, session_id=session_id))
        except ModelFailure as failure:
            raise self._model_error(failure, request.endpoint_name) from None
        headers["content-type"] = response.content_type
        headers["x-amzn-invoked-production-variant"] = members.get(
            "targetVariant", _DEFAULT_VARIANT
        )
        if response.custom_attributes is not None:
            headers["x-amzn-sagemaker-custom-attributes"] = response.custom_attributes
        if target.is_routed:
            arn = f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:endpoint/{request.endpoint_name}"
            headers["x-amzn-sagemaker-invoked-routed-resource-arn"] = arn
            headers["x-amzn-sagemaker-invoked-routing-reason"] = "emulated"
        return Reply(200, headers, response.body)

    async def _run(self, request: ModelRequest) -> ModelResponse:
        """Run the model, and return its output.

        Raises:
            ModelFailure: The model failed, or the server stopped before the model responded.
        """
        running = asyncio.create_task(self.queue.invoke(request, _TIMEOUT))
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
        logs = f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints"
        return rejection(
            424,
            "ModelError",
            container_message(failure.status_code, failure.message),
            OriginalStatusCode=failure.status_code,
            OriginalMessage=failure.message,
            LogStreamArn=f"{logs}/{endpoint_name}",
        )
