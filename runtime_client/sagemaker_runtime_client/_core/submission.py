"""Operations that queue a job: invoke_endpoint_async, and submit for a payload of any size."""

from typing import TYPE_CHECKING, Any, Unpack

from .._errors import ParamValidationError
from .._inference.arguments import goes_inline, unexpected_arguments
from .._inference.invocation import Invocation, Submission, parse_invocation
from .._inference.invoke_endpoint_async import INLINE_LIMIT, INVOKE_ENDPOINT_ASYNC, InvokeOptions
from .._io.system import System
from .._io.transport import Admission
from .base import BaseOperations, parse_location

if TYPE_CHECKING:  # imported when S3 is first needed, to keep other first calls fast
    from .._s3.objects import S3Location

    Upload = tuple[S3Location, bytes]


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
            inference_id: The id of the job: 1 to 64 printable ASCII characters without outer
                spaces.  AWS does not promise to deduplicate requests with the same id.
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
            The handle for `wait`.  `Invocation.to_json` stores it for another process.

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
            TransportError: No complete response was received before the timeout.  If
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
        endpoint_name: str,
        payload: bytes | bytearray | memoryview,
        *,
        input_prefix: str | None = None,
        inline: bool | None = None,
        generate_inference_id: bool = True,
        timeout: float | None = None,
        **options: Unpack[InvokeOptions],
    ) -> Invocation:
        """Queue an inference job for a payload of any size, and return its handle without waiting.

        A payload of up to 128,000 bytes is sent in the request.  A larger or empty payload is
        uploaded to S3.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            payload: The input, of any size.
            input_prefix: The S3 location below which a payload is uploaded, such as
                ``s3://bucket/inputs/``; the client appends a new UUID and never deletes the object.
                Required if the payload is uploaded.
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
            The handle for `wait`.  `Invocation.to_json` stores it for another process.

        Raises:
            ParamValidationError: An argument is invalid, or the payload needs an upload and
                *input_prefix* is missing; nothing was sent.
            ConfigError: The region is missing, or a setting is malformed or contradicts another;
                nothing was sent.
            CredentialsError: There are no valid credentials, or their provider failed.
            ServiceError: S3 or SageMaker Runtime rejected a request; see `code`.
            TransportError: No complete response was received before the timeout.  If
                `possibly_accepted` is true, the job may be queued under `inference_id`: find out
                whether it is queued before you submit it again.
        """
        start = self._start(timeout)
        with Submission() as submission:
            arguments, upload = await self._arguments(
                endpoint_name, payload, input_prefix, inline, options
            )
            return await self._submit(
                submission,
                arguments,
                upload,
                generate_inference_id=generate_inference_id,
                start=start,
                timeout=timeout,
            )

    async def _arguments(
        self,
        endpoint_name: str,
        payload: bytes | bytearray | memoryview,
        input_prefix: str | None,
        inline: bool | None,
        options: InvokeOptions,
    ) -> "tuple[dict[str, Any], Upload | None]":
        """Return the arguments of the invocation, and the upload that must precede it, if any."""
        body = await self._bytes(payload, "payload")
        if unknown := options.keys() - InvokeOptions.__annotations__:
            raise unexpected_arguments(unknown)
        arguments = {"endpoint_name": endpoint_name, **options}
        if goes_inline(body, inline):
            return {**arguments, "body": body}, None
        location = _upload_location(input_prefix, len(body), inline, self._system)
        return {**arguments, "input_location": str(location)}, (location, body)

    async def _submit(
        self,
        submission: Submission,
        arguments: dict[str, Any],
        upload: "Upload | None" = None,
        *,
        generate_inference_id: bool,
        start: float,
        timeout: float | None,
    ) -> Invocation:
        """Upload the payload if necessary, and queue the job, for a call that started at *start*."""
        # If either argument is passed, the service derives the name of the output from it.
        unique_output_name = (
            arguments.get("inference_id") is None and arguments.get("filename") is None
        )
        if arguments.get("inference_id") is None and generate_inference_id:
            arguments["inference_id"] = self._system.uuid()
        request = INVOKE_ENDPOINT_ASYNC.to_http(arguments)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        operation = INVOKE_ENDPOINT_ASYNC.to_operation(
            session.endpoint, request, deadline, submission
        )
        if upload is not None:
            location, body = upload
            content_type = arguments.get("content_type")
            await session.s3.put(location, body, content_type=content_type, deadline=deadline)
        submission.inference_id = arguments.get("inference_id")
        endpoint_name = arguments["endpoint_name"]
        del arguments  # frees memory: thousands of calls may wait here
        async with Admission(session.transport, deadline):
            response = await session.runtime.send(operation)
        since = submission.possibly_accepted_since
        submission.invocation = parse_invocation(
            response,
            submission.inference_id,
            endpoint_name=endpoint_name,
            attempts=submission.attempts,
            age_of_first=None if since is None else self._system.monotonic() - since,
            unique_output_name=unique_output_name,
        )
        return submission.invocation


def _upload_location(
    input_prefix: str | None, size: int, inline: bool | None, system: System
) -> "S3Location":
    """Return a new location below *input_prefix* for a payload of *size* bytes."""
    if not isinstance(input_prefix, str):
        reason = f"it has {size:,} bytes, and a request can carry at most {INLINE_LIMIT:,}"
        if size == 0:
            reason = "it is empty, and a request cannot carry an empty body"
        if inline is False:
            reason = "inline=False was passed"
        raise ParamValidationError(
            "input_prefix is required, such as s3://bucket/inputs/: the payload must be uploaded to "
            f"S3, because {reason}",
            argument="input_prefix",
        )
    return parse_location(f"{input_prefix.rstrip('/')}/{system.uuid()}", "input_prefix")
