"""Synchronous calls to models and inference routers, and `Core`, which provides all operations.

The clients' methods use the signatures and docstrings of these coroutines.

A model may have run although no response was received.  So a synchronous request is retried only if
the model has certainly not run, unless the caller passes ``retry_model=True``.
"""

from __future__ import annotations

from math import inf
from typing import Any, Unpack

from .. import _core
from .._aws.attempts import Progress
from .._inference.arguments import check_wait_until_ready
from .._inference.invocation import Invocation, Submission
from .._inference.invoke_endpoint_async import InvokeOptions
from .._inference.members import OperationModel
from .._io.generation import importing
from .._io.transport import Admission
from .inference import InferenceOperations
from .objects import ObjectOperations
from .submission import check_options

# The first and the longest pause before a request to a model that was not ready is repeated, in
# seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0


class ModelOperations(InferenceOperations):
    """Operations that call a model synchronously or through an inference router."""

    async def invoke_endpoint(
        self,
        endpoint_name: str,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        target_model: str | None = None,
        target_variant: str | None = None,
        target_container_hostname: str | None = None,
        inference_id: str | None = None,
        enable_explanations: str | None = None,
        inference_component_name: str | None = None,
        session_id: str | None = None,
        prefix_aware_id: str | None = None,
        retry_model: bool = False,
        wait_until_ready: float = 0,
        timeout: float | None = None,
    ) -> _core.ModelOutput:
        """Call the model of a real-time or serverless endpoint, and return its output.

        The credentials need ``sagemaker:InvokeEndpoint``.  The read timeout is at least 70 seconds,
        because a model may take 60 seconds; the client's argument *read_timeout* overrides this.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            body: The input, at most 6,291,456 bytes.
            content_type: The media type of the input, at most 1024 ASCII characters.
            accept: The requested media type of the output, at most 1024 ASCII characters.
            custom_attributes: Text that is passed to the model unchanged, at most 1024 ASCII
                characters.
            target_model: The file name of a model on a multi-model endpoint, 1 to 1024 ASCII
                characters.
            target_variant: The name of a production variant: 1 to 63 letters, digits and inner
                hyphens.
            target_container_hostname: The host name of a container on a multi-container endpoint: 1
                to 63 letters, digits and inner hyphens.
            inference_id: An id for captured data, 1 to 64 printable ASCII characters.
            enable_explanations: A JMESPath expression that selects the records to explain, 1 to 64
                characters.
            inference_component_name: The name of an inference component: 1 to 63 letters, digits
                and inner hyphens.
            session_id: The id of a stateful model's session, or ``NEW_SESSION`` to open a session.
            prefix_aware_id: An id by which a prefix-aware endpoint routes related requests to the
                same instance, 1 to 64 printable ASCII characters.
            retry_model: Whether the request may be sent again although the model may have run:
                after a lost response and after the statuses 424, 500, 502, 504 and 530.
            wait_until_ready: For how many seconds from the start of the call the request is
                repeated if the endpoint responds that the model is not ready.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The output of the model: body, content type, variant, custom attributes and session.

        Raises:
            ParamValidationError: An argument breaks one of these rules; nothing was sent.
            ConfigError: The region is missing, or a setting is malformed or contradicts another;
                nothing was sent.
            CredentialsError: There are no valid credentials, or their provider failed; nothing was
                sent.
            ModelError: The model's container responded with an error.
            ModelNotReadyError: The model is not ready; pass *wait_until_ready*.
            ServiceError: The service rejected the request for another reason; see `code`.
            TransportError: No complete response was received; `possibly_accepted` shows whether the
                model may have run.

        Source:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
        """
        with importing():
            from .._inference.invoke_endpoint import INVOKE_ENDPOINT
        arguments = {
            "endpoint_name": endpoint_name,
            "body": body,
            "content_type": content_type,
            "accept": accept,
            "custom_attributes": custom_attributes,
            "target_model": target_model,
            "target_variant": target_variant,
            "target_container_hostname": target_container_hostname,
            "inference_id": inference_id,
            "enable_explanations": enable_explanations,
            "inference_component_name": inference_component_name,
            "session_id": session_id,
            "prefix_aware_id": prefix_aware_id,
        }
        return await self._invoke(
            INVOKE_ENDPOINT, arguments, retry_model, wait_until_ready, timeout
        )

    async def invoke_inference_router(
        self,
        inference_router_name: str,
        routing_target: str,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        inference_id: str | None = None,
        prefix_aware_id: str | None = None,
        retry_model: bool = False,
        wait_until_ready: float = 0,
        timeout: float | None = None,
    ) -> _core.ModelOutput:
        """Call a model through an inference router, and return its output.

        The credentials need ``sagemaker:InvokeInferenceRouter``.  The read timeout is at least 170
        seconds, because the router may try several destinations; the client's argument
        *read_timeout* overrides this.

        Args:
            inference_router_name: The name of the router: 1 to 63 letters, digits and inner
                hyphens.
            routing_target: The name of the routing target: 1 to 63 letters, digits and inner
                hyphens.
            body: The input, at most 6,291,456 bytes.
            content_type: The media type of the input, at most 1024 ASCII characters.
            accept: The requested media type of the output, at most 1024 ASCII characters.
            custom_attributes: Text that is passed to the model unchanged, at most 1024 ASCII
                characters.
            inference_id: An id for captured data, 1 to 64 printable ASCII characters.
            prefix_aware_id: An id by which related requests are routed to the same instance, 1 to
                64 printable ASCII characters.
            retry_model: Whether the request may be sent again although the model may have run.
            wait_until_ready: For how many seconds from the start of the call the request is
                repeated if the router responds that the model is not ready.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The output of the model, with the destination that the router chose.

        Raises:
            RuntimeClientError: The errors of `invoke_endpoint`.

        Source: the service model sagemaker-inference-router-runtime 2026-01-01.
        """
        with importing():
            from .._inference.router import INVOKE_INFERENCE_ROUTER
        arguments = {
            "inference_router_name": inference_router_name,
            "routing_target": routing_target,
            "body": body,
            "content_type": content_type,
            "accept": accept,
            "custom_attributes": custom_attributes,
            "inference_id": inference_id,
            "prefix_aware_id": prefix_aware_id,
        }
        return await self._invoke(
            INVOKE_INFERENCE_ROUTER, arguments, retry_model, wait_until_ready, timeout
        )

    async def invoke_inference_router_async(
        self,
        inference_router_name: str,
        routing_target: str,
        *,
        input_location: str,
        generate_inference_id: bool = True,
        timeout: float | None = None,
        **options: Unpack[InvokeOptions],
    ) -> Invocation:
        """Queue an inference job through an inference router, and return its handle without waiting.

        The credentials need ``sagemaker:InvokeInferenceRouter``.  The router sends the job to one
        of its destinations, and moves the job to another destination if it waits too long.  The
        output location stays the same.

        Args:
            inference_router_name: The name of the router: 1 to 63 letters, digits and inner
                hyphens.
            routing_target: The name of the routing target: 1 to 63 letters, digits and inner
                hyphens.
            input_location: The location of the input, as ``s3://bucket/key`` or an https URL of S3.
            generate_inference_id: Whether to send a new UUID as the inference id if *inference_id*
                is missing.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.
            options: Optional arguments of `invoke_endpoint_async`, which describes them.
                *filename* may have up to 64 characters here.

        Returns:
            The handle for `wait`.

        Raises:
            RuntimeClientError: The errors of `invoke_endpoint_async`, with the same remedies.

        Source: the service model sagemaker-inference-router-runtime 2026-01-01.
        """
        check_options(options)
        target = {
            "inference_router_name": inference_router_name,
            "routing_target": routing_target,
            "input_location": input_location,
        }
        with Submission() as submission:
            return await self._submit(
                submission,
                {**target, **options},
                generate_inference_id=generate_inference_id,
                start=self._start(timeout),
                timeout=timeout,
            )

    async def _invoke(
        self,
        model: OperationModel,
        arguments: dict[str, Any],
        retry_model: bool,
        wait_until_ready: float,
        timeout: float | None,
    ) -> _core.ModelOutput:
        """Call a model, repeatedly if it is not ready and there is time, and return its output."""
        with importing():
            from .._inference.invoke_endpoint import parse_output
            from .._inference.model_errors import (
                ModelNotReadyError,
                model_error,
                repeatable_model_error,
            )
        check_wait_until_ready(wait_until_ready)
        start = self._start(timeout)
        arguments["body"] = await self._bytes(arguments["body"], "body")
        request = model.to_http(self._with_defaults(model, arguments))
        session = await self._session()
        client, endpoint = (
            session.router if model.is_routed else (session.runtime, session.endpoint)
        )
        deadline = session.deadline(start, timeout)
        progress = Progress()  # one for all requests, so that none that may have run is forgotten
        operation = model.to_operation(endpoint, request, deadline, progress)._replace(
            parse_error=repeatable_model_error if retry_model else model_error,
            retry_ambiguous=retry_model,
            read_timeout=session.read_timeout(model.read_timeout),
        )
        pause = _FIRST_PAUSE
        while True:
            try:
                async with Admission(session.transport, deadline):
                    return parse_output(await client.send(operation))
            except ModelNotReadyError:
                ends = self._system.monotonic() + pause
                is_late = ends > min(
                    start + wait_until_ready, inf if deadline is None else deadline
                )
                # An error of this class may have a status after which the model may have run.
                if is_late or (progress.possibly_accepted and not retry_model):
                    raise
            await self._system.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


class Core(ModelOperations, ObjectOperations):
    """All operations of the clients."""
