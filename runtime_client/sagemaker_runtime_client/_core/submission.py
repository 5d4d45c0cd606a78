"""Queue a job: invoke_endpoint_async, and submit for a payload of any size."""

from typing import TYPE_CHECKING, Any, Unpack

from .._errors import ParamValidationError
from .._inference.arguments import goes_inline, unexpected_arguments
from .._inference.invocation import Invocation, Submission, parse_invocation
from .._inference.invoke_endpoint_async import INLINE_LIMIT, INVOKE_ENDPOINT_ASYNC, InvokeOptions
from .._io.system import System
from .._io.transport import Admission
from .base import BaseOperations, parse_location

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
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
        """
        Queue an inference, and return at once ("async" is AWS's word for that, in both clients).

        The call is not idempotent.  It is tried again after failures that may pass; where one of
        them may have been taken all the same, `Invocation.possibly_duplicated` says so, and
        ``retry_ambiguous=False`` makes a client raise instead.

        Args:
            endpoint_name: 1 to 63 letters, digits and inner hyphens.
            input_location: Where the input is: an ``s3://`` or ``https://`` address, at most 1024
                characters.
            body: The input itself, 1 to 128,000 bytes.  Give exactly one of the two.
            content_type: MIME type of the input, at most 1024 ASCII characters.
            accept: MIME type wanted for the output; likewise.
            custom_attributes: Handed to the model as they are; likewise.
            inference_id: An id of your own, 1 to 64 printable ASCII characters.  AWS does not say
                that it merges requests with the same one.
            s3_output_path_extension: Appended to the endpoint's output path; 1 to 512 of letters,
                digits and ``!_.*'()/-``.
            filename: Replaces the generated name of the output; 1 to 32 of letters, digits and
                ``-_.``, with at most one dot.
            request_ttl_seconds: For how long the job may wait in the queue, 60 to 21600.
            invocation_timeout_seconds: For how long the model may work on it, 1 to 3600.
            generate_inference_id: Whether to make up an id where you give none, so that the
                attempts of one call can be told from other calls.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Returns:
            The handle to `wait` with, here or, by `Invocation.to_json`, in another process.

        Raises:
            ParamValidationError: An argument breaks one of these rules; nothing was sent.
            ConfigError: No region, or settings that contradict each other; nothing was sent.
            CredentialsError: No credentials, or none that serve; nothing was sent.
            ServiceError: The service refused; the subclass and `code` say why.
            TransportError: No answer, or not in time; `possibly_accepted` says whether the job may
                be queued, and `inference_id` under which id.  An interrupt or a cancellation has that
                attribute, too, and a note.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
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
        """
        Queue an inference of a payload of any size: up to 128,000 bytes in the request, else through S3.

        Args:
            endpoint_name: As for `invoke_endpoint_async`.
            payload: The input.
            input_prefix: Where a larger payload is put: ``s3://bucket/prefix/``; a new UUID is
                appended.  The object stays there.
            inline: True sends the payload in the request or not at all, False puts it into S3 in
                any case, None lets its size decide.
            generate_inference_id: As for `invoke_endpoint_async`.
            timeout: Seconds that the call may take in all, from its start, the upload included; None
                takes the client's.
            options: The further arguments of `invoke_endpoint_async`: *content_type*, *accept*,
                *custom_attributes*, *inference_id*, *s3_output_path_extension*, *filename*,
                *request_ttl_seconds*, *invocation_timeout_seconds*.

        Returns:
            The handle to `wait` with.

        Raises:
            ParamValidationError: An argument breaks a rule, or the payload is too large to send
                inline and there is no *input_prefix*; nothing was sent.
            RuntimeClientError: What `put_object` and `invoke_endpoint_async` raise.
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
        """Return the arguments with which a payload is sent, and what must be in S3 before."""
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
        """Do what `invoke_endpoint_async` does, after an upload, for a call that began at *start*."""
        # The service makes the output's name of these, if they are given.
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
        del arguments  # thousands may wait here, each with its own
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
    """Return a new location below *input_prefix*, for a payload of *size* bytes."""
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
