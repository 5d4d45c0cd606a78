"""Calls through an inference router, which sends each request to one of its destinations."""

from __future__ import annotations

from typing import Unpack

from .. import _core
from .._inference.arguments import check_options
from .._inference.invocation import Invocation, Submission
from .._inference.invoke_endpoint_async import InvokeOptions
from .._io.generation import importing
from .inference import InferenceOperations


class RouterOperations(InferenceOperations):
    """Operations that call a model through an inference router."""

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
            inference_id: An id that data capture, if enabled, stores with the data: 1 to 64
                printable ASCII characters.
            prefix_aware_id: An id by which related requests are routed to the same instance, 1 to
                64 printable ASCII characters.
            retry_model: Whether the request may be sent again although the model may have run.
            wait_until_ready: For how many seconds from the start of the call the request is
                repeated if the router responds that the model is not ready.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The output of the model, with the destination that the router chose.

        Raises:
            RuntimeClientError: Any error that `invoke_endpoint` raises.

        Source: the service model sagemaker-inference-router-runtime 2026-01-01.
        """
        with importing():
            from .._inference.router import INVOKE_INFERENCE_ROUTER
            from .model_call import ModelCall
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
        return await ModelCall(
            self._system,
            self._session,
            INVOKE_INFERENCE_ROUTER,
            self._with_defaults(INVOKE_INFERENCE_ROUTER, arguments),
            retry_model,
            wait_until_ready,
            timeout,
        ).invoke()

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
        of its destinations, and moves the job to another destination if the job waits too long.
        The output location stays the same.

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
            RuntimeClientError: Any error that `invoke_endpoint_async` raises; its description
                states what to do.

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
