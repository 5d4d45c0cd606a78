"""Operations that queue a job: `invoke_endpoint_async`, and `submit` for a payload of any size."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Unpack

from .. import _core
from .._inference.arguments import (
    PayloadOptions,
    Upload,
    as_content,
    goes_inline,
    router_model,
    submission_target,
    upload_reason,
)
from .._inference.invocation import Invocation, Submission, parse_invocation
from .._inference.invoke_endpoint_async import INLINE_LIMIT, INVOKE_ENDPOINT_ASYNC, InvokeOptions
from .._inference.members import invalid_argument
from .._io.generation import importing
from .._io.system import System
from .._io.transport import Admission
from .base import BaseOperations, parse_location
from .objects import option_headers

if TYPE_CHECKING:  # imported when S3 is first needed, to keep other first calls fast
    from .._s3.client import S3
    from .._s3.objects import S3Location

# The arguments that specify an endpoint, or an inference router and its routing target.
_TARGET = ("endpoint_name", "inference_router_name", "routing_target")


class SubmissionOperations(BaseOperations):
    """Operations that queue a job."""

    async def invoke_endpoint_async(
        self,
        endpoint_name: str,
        *,
        input_location: str | None = None,
        body: bytes | bytearray | memoryview | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        inference_id: str | None = None,
        s3_output_path_extension: str | None = None,
        filename: str | None = None,
        request_ttl_seconds: int | None = None,
        invocation_timeout_seconds: int | None = None,
        generate_inference_id: bool = True,
        timeout: float | None = None,
    ) -> Invocation:
        """Queue an inference job, and return its handle without waiting for the output.

        "Async" in the name means that AWS queues the job; the blocking client has this operation,
        too.  The operation is not idempotent.  After a transient failure the client sends the
        request again.  If the service may have accepted an earlier attempt,
        `Invocation.possibly_duplicated` is true.  With ``retry_ambiguous=False``, the client raises
        an error in this case instead of sending the request again.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            input_location: The ``s3://`` or ``https://`` URL of the input, at most 1024 characters.
                Exactly one of *input_location* and *body* is required.
            body: The input itself, 1 to 128,000 bytes.
            content_type: The media type of the input, at most 1024 ASCII characters.
            accept: The requested media type of the output, at most 1024 ASCII characters.
            custom_attributes: Text that is passed to the model unchanged, at most 1024 ASCII
                characters.
            inference_id: The id of the job: 1 to 64 printable ASCII characters, with no leading or
                trailing spaces.  AWS does not promise to deduplicate requests with the same id.
            s3_output_path_extension: A path appended to the endpoint's output path: 1 to 512
                letters, digits or characters from ``!_.*'()/-``.
            filename: The file name of the output, in place of a generated name: 1 to 32 letters,
                digits or characters from ``-_.``; starts with a letter or digit and contains at
                most one dot.
            request_ttl_seconds: How long the job may wait in the queue, 60 to 21600 seconds.
            invocation_timeout_seconds: How long the model may work on the job, 1 to 3600 seconds.
            generate_inference_id: Whether to send a new UUID as the inference id if *inference_id*
                is missing.  The id makes it possible to recognize the attempts of one call.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The handle for `wait`.  `Invocation.to_json` serializes it for another process.

        Raises:
            ParamValidationError: An argument breaks one of these rules; `argument` is its name, and
                nothing was sent.
            ConfigError: The region is missing, or a setting is malformed or contradicts another;
                nothing was sent.
            CredentialsError: There are no valid credentials, or their provider failed; nothing was
                sent.
            AccessDeniedError: The service rejected the credentials, or they do not allow
                ``sagemaker:InvokeEndpointAsync``.
            ServiceError: The service rejected the request for another reason; see `code`.
            TransportError: No attempt received a complete response before the timeout.  If
                `possibly_accepted` is true, the job may be queued under `inference_id`: find out
                whether it is queued before you send the request again.  An exception that
                interrupts or cancels the call has `inference_id` and a note, too.

        Source:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
        """
        with Submission() as submission:
            return await self._submit(
                submission,
                {
                    "endpoint_name": endpoint_name,
                    "input_location": input_location,
                    "body": body,
                    "content_type": content_type,
                    "accept": accept,
                    "custom_attributes": custom_attributes,
                    "inference_id": inference_id,
                    "s3_output_path_extension": s3_output_path_extension,
                    "filename": filename,
                    "request_ttl_seconds": request_ttl_seconds,
                    "invocation_timeout_seconds": invocation_timeout_seconds,
                },
                generate_inference_id=generate_inference_id,
                start=self._start(timeout),
                timeout=timeout,
            )

    async def submit(
        self,
        endpoint_name: str | None = None,
        payload: _core.Source | str | None = None,
        *,
        json: object = None,
        router: str | None = None,
        routing_target: str | None = None,
        input_prefix: str | None = None,
        input_options: _core.ObjectOptions | None = None,
        inline: bool | None = None,
        generate_inference_id: bool = True,
        timeout: float | None = None,
        **options: Unpack[InvokeOptions],
    ) -> Invocation:
        """Queue an inference job for a payload of any size, and return its handle without waiting.

        A payload of 1 to 128,000 bytes is sent in the request, and any other is uploaded to S3.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            payload: The input: bytes, a str (sent as UTF-8), a `pathlib.Path`, an open binary file,
                or an iterable of bytes; an async client also accepts an async iterable.
            json: The input as a value that is sent as JSON, instead of *payload*, with the
                *content_type* ``application/json`` if it is missing.
            router: The name of an inference router, which replaces *endpoint_name*.  The payload is
                then always uploaded.
            routing_target: The name of the routing target.  Required with *router*.
            input_prefix: The S3 location below which a payload is uploaded, such as
                ``s3://bucket/inputs/``; the client appends a new UUID and never deletes the object.
                Required if the payload is uploaded.
            input_options: Options of `put_object` for the uploaded payload, such as
                ``{"server_side_encryption": "aws:kms", "tagging": {"team": "a"}}``.
            inline: True always sends the payload in the request, False always uploads it, and None
                decides by the payload's size.
            generate_inference_id: Whether to send a new UUID as the inference id if *inference_id*
                is missing.
            timeout: The time limit of the whole call, in seconds, including the upload; None uses
                the client's default.
            options: Optional arguments of `invoke_endpoint_async`, which describes them:
                *content_type*, *accept*, *custom_attributes*, *inference_id*,
                *s3_output_path_extension*, *filename*, *request_ttl_seconds*,
                *invocation_timeout_seconds*.

        Returns:
            The handle for `wait`.  `Invocation.to_json` serializes it for another process.

        Raises:
            ParamValidationError: An argument is invalid, or the payload needs an upload and
                *input_prefix* is missing; nothing was sent.
            ConfigError: The region is missing, or a setting is malformed or contradicts another;
                nothing was sent.
            CredentialsError: There are no valid credentials, or their provider failed.
            ServiceError: S3 or SageMaker Runtime rejected a request; see `code`.
            TransportError: No attempt received a complete response before the timeout.  If
                `possibly_accepted` is true, the job may be queued under `inference_id`.
        """
        start = self._start(timeout)
        with Submission() as submission:
            target = submission_target(endpoint_name, router, routing_target, options)
            payload_options = PayloadOptions(json, input_prefix, input_options, inline)
            async with self._arguments(target, payload, payload_options, options) as prepared:
                return await self._submit(
                    submission,
                    *prepared,
                    generate_inference_id=generate_inference_id,
                    start=start,
                    timeout=timeout,
                )

    @asynccontextmanager
    async def _arguments(
        self,
        target: dict[str, Any],
        payload: object,
        payload_options: PayloadOptions,
        options: InvokeOptions,
    ) -> AsyncGenerator[tuple[dict[str, Any], Upload | None]]:
        """Return the arguments of the invocation, and the upload that must precede it or None.

        The source of the upload stays open until the context ends.
        """
        json, input_prefix, input_options, inline = payload_options
        content = as_content(payload, "payload", json)
        if content is None:
            raise invalid_argument("payload", "is required")
        arguments = {**target, **options}
        if json is not None and arguments.get("content_type") is None:
            arguments["content_type"] = "application/json"
        is_routed = "endpoint_name" not in target
        if is_routed and inline:
            raise invalid_argument("inline", "cannot be True with router: a router reads from S3")
        headers = option_headers("input_options", input_options or {})
        async with self._small_or_open(content, "payload", INLINE_LIMIT) as source:
            if isinstance(source, bytes) and not is_routed and goes_inline(source, inline):
                yield {**arguments, "body": source}, None
                return
            if inline:
                raise invalid_argument(
                    "inline", f"cannot be True for more than {INLINE_LIMIT:,} bytes"
                )
            reason = upload_reason(source, inline, is_routed=is_routed)
            location = _upload_location(input_prefix, reason, self._system)
            arguments["input_location"] = str(location)
            yield arguments, Upload(location, source, headers)

    async def _submit(
        self,
        submission: Submission,
        arguments: dict[str, Any],
        upload: Upload | None = None,
        *,
        generate_inference_id: bool,
        start: float,
        timeout: float | None,
    ) -> Invocation:
        """Upload the payload if necessary, and queue the job of a call that began at *start*."""
        # The service derives the output's name from ``inference_id`` or ``filename`` if passed.
        has_id = arguments.get("inference_id") is not None
        unique_output_name = not has_id and arguments.get("filename") is None
        if generate_inference_id and not has_id:
            arguments["inference_id"] = self._system.uuid()
        model = INVOKE_ENDPOINT_ASYNC if "endpoint_name" in arguments else router_model()
        if self._defaults:
            arguments = dict(self._with_defaults(model, arguments))
        request = model.to_http(arguments)
        session = await self._session()
        client, endpoint = (
            session.router if model.is_routed else (session.runtime, session.endpoint)
        )
        deadline = session.deadline(start, timeout)
        operation = model.to_operation(endpoint, request, deadline, submission)
        if upload is not None:
            await self._upload(session.s3, upload, arguments.get("content_type"), deadline)
        submission.inference_id = arguments.get("inference_id")
        endpoint_name, router, routing_target = map(arguments.get, _TARGET)
        del arguments  # frees memory, because thousands of calls may wait here
        async with Admission(session.transport, deadline):
            response = await client.send(operation)
        since = submission.possibly_accepted_since
        submission.invocation = parse_invocation(
            response,
            submission.inference_id,
            attempts=submission.attempts,
            age_of_first=None if since is None else self._system.monotonic() - since,
            unique_output_name=unique_output_name,
            endpoint_name=endpoint_name,
            inference_router_name=router,
            routing_target=routing_target,
        )
        return submission.invocation

    async def _upload(
        self, s3: S3, upload: Upload, content_type: str | None, deadline: float | None
    ) -> None:
        location, source, headers = upload
        if isinstance(source, bytes):
            await s3.put(
                location, source, content_type=content_type, headers=headers, deadline=deadline
            )
        else:
            with importing():
                from .uploads import UploadArguments
            arguments = UploadArguments(location, content_type, None, (None, None), headers)
            await arguments.upload(self._system, s3, source, deadline)


def _upload_location(input_prefix: str | None, reason: str, system: System) -> S3Location:
    """Return a new location below *input_prefix*; *reason* states why the payload is uploaded."""
    if not isinstance(input_prefix, str):
        fault = "is required, such as s3://bucket/inputs/: the payload must be uploaded to S3"
        raise invalid_argument("input_prefix", f"{fault}, because {reason}")
    return parse_location(f"{input_prefix.rstrip('/')}/{system.uuid()}", "input_prefix")
