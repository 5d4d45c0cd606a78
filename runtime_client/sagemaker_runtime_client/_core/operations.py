"""Synchronous calls to models and inference routers, and `Core`, which provides all operations.

The clients' methods use the signatures and docstrings of these operations.

A model may have run although no response was received.  Therefore a synchronous request is retried
only if the model has certainly not run, unless the caller passes ``retry_model=True``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from .. import _core
from .._io.generation import importing
from .buckets import BucketOperations
from .downloads import DownloadOperations
from .inference import InferenceOperations
from .objects import ObjectOperations
from .routers import RouterOperations

if TYPE_CHECKING:
    from .._inference.members import OperationModel
    from .model_call import ModelCall


class ModelOperations(InferenceOperations):
    """Operations that call a model and wait for its response."""

    # The imports that `invoke_endpoint` needs, stored because importing them in each call would
    # take 5 us.
    _invoke: tuple[type[ModelCall], OperationModel] | None = None

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
            inference_id: An id that data capture, if enabled, stores with the data: 1 to 64
                printable ASCII characters.
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
        if self._invoke is None:
            with importing():
                from .._inference.invoke_endpoint import INVOKE_ENDPOINT
                from .model_call import ModelCall
            self._invoke = ModelCall, INVOKE_ENDPOINT
        model_call, model = self._invoke
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
        return await model_call(
            self._system,
            self._session,
            model,
            self._with_defaults(model, arguments),
            retry_model,
            wait_until_ready,
            timeout,
        ).invoke()

    def stream_endpoint(
        self,
        endpoint_name: str,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        target_variant: str | None = None,
        target_container_hostname: str | None = None,
        inference_id: str | None = None,
        inference_component_name: str | None = None,
        session_id: str | None = None,
        prefix_aware_id: str | None = None,
        retry_model: bool = False,
        wait_until_ready: float = 0,
        timeout: float | None = None,
    ) -> _core.StreamContext:
        """Return a context manager that calls a model and provides its response in parts.

        Entering the context, with ``with`` or ``async with``, sends the request and waits for the
        first part.  Read the parts with `bytes`, `lines`, `events` or `json`.  The client receives
        data only as fast as the caller reads it.  Leaving the context releases the connection.

        The credentials need ``sagemaker:InvokeEndpoint``.  The read timeout applies to each part;
        it is at least 70 seconds unless the client's argument *read_timeout* overrides this.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            body: The input, at most 6,291,456 bytes.
            content_type: The media type of the input, at most 1024 ASCII characters.
            accept: The requested media type of the output, at most 1024 ASCII characters.
            custom_attributes: Text that is passed to the model unchanged, at most 1024 ASCII
                characters.
            target_variant: The name of a production variant: 1 to 63 letters, digits and inner
                hyphens.
            target_container_hostname: The host name of a container on a multi-container endpoint: 1
                to 63 letters, digits and inner hyphens.
            inference_id: An id that data capture, if enabled, stores with the data: 1 to 64
                printable ASCII characters.
            inference_component_name: The name of an inference component: 1 to 63 letters, digits
                and inner hyphens.
            session_id: The id of an open session of a stateful model.
            prefix_aware_id: An id by which a prefix-aware endpoint routes related requests to the
                same instance, 1 to 64 printable ASCII characters.
            retry_model: Whether the request may be sent again although the model may have run.
                After the first part has arrived, the request is never sent again.
            wait_until_ready: For how many seconds from the start of the call the request is
                repeated if the endpoint responds that the model is not ready.
            timeout: The time limit of the whole call, including reading the response, in seconds;
                None uses the client's default.

        Returns:
            The context manager.  Entering it returns a `ModelStream` or, for an async client, an
            `AsyncModelStream`.

        Raises:
            RuntimeClientError: Entering the context raises the errors of `invoke_endpoint`.
            ModelStreamError: The model failed while the response was being read.
            InternalStreamFailureError: The service failed while the response was being read.
            ResponseStreamError: The response broke off or could not be decoded while it was being
                read.
            ResponseTooLargeError: A line or an event of the response is longer than 16 MiB.

        Source:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
        """
        with importing():
            from .._inference.stream_endpoint import INVOKE_ENDPOINT_WITH_RESPONSE_STREAM as MODEL
            from .model_call import ModelCall
            from .model_stream import StreamContext
        arguments = {
            "endpoint_name": endpoint_name,
            "body": body,
            "content_type": content_type,
            "accept": accept,
            "custom_attributes": custom_attributes,
            "target_variant": target_variant,
            "target_container_hostname": target_container_hostname,
            "inference_id": inference_id,
            "inference_component_name": inference_component_name,
            "session_id": session_id,
            "prefix_aware_id": prefix_aware_id,
        }
        return StreamContext(
            ModelCall(
                self._system,
                self._session,
                MODEL,
                self._with_defaults(MODEL, arguments),
                retry_model,
                wait_until_ready,
                timeout,
            )
        )


class Core(
    ModelOperations, RouterOperations, ObjectOperations, BucketOperations, DownloadOperations
):
    """All operations of the clients."""

    async def verify_sns(
        self,
        message: dict[str, Any] | str | bytes,
        *,
        topic_arns: Collection[str],
        max_age: float = 3600.0,
        roots: bytes | None = None,
        timeout: float | None = None,
    ) -> str:
        """Verify that SNS has sent a message, and return the ARN of its topic.

        Pass the ARN as ``source`` to ``events.parse``.  The docstring of ``events.verify_sns``
        lists the checks and the signed fields.

        The certificate is downloaded from the host of SNS in the region of the topic, and its
        issuer's certificate from Amazon Trust Services (over http, because the signature of this
        certificate is verified).  Each may have at most 65,536 bytes.  Redirects are not followed.
        The client stores the certificates for later messages.  No credentials are needed.

        Args:
            message: The body of the request that SNS has sent, or an SNS envelope as a dict.
            topic_arns: The ARNs of the topics whose messages are expected, at least one.
            max_age: How many seconds may have passed since the message was published; ``math.inf``
                for no limit.  SNS repeats failed deliveries for up to an hour.
            roots: The trusted root certificates as PEM; None for those of Amazon Trust Services in
                certifi's bundle.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The ARN of the topic, which is one of *topic_arns*.

        Raises:
            SignatureError: A check failed; the error's attribute `check` identifies it.  Do not use
                the message, and respond with status 403.
            TransportError: The certificate could not be downloaded.  Respond with status 500, so
                that SNS sends the message again.
            ServiceError: The certificate, or its issuer's certificate, is not available for
                download.
            ResponseTooLargeError: A certificate is too large.
            ParamValidationError: An argument is invalid.
            ConfigError: The package `cryptography` is not installed, certifi's bundle lacks the
                roots of Amazon Trust Services, or a setting is malformed.

        Source:
        https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
        """
        start = self._start(timeout)
        with importing():
            from .sns import SNSVerification
        verification = SNSVerification(message, topic_arns, max_age, roots, self._system.now())
        session = await self._session()
        return await verification.run(session, session.deadline(start, timeout))
