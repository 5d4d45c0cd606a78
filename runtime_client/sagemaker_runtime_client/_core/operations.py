"""
The client, written once: what both faces do, over one `IO`.

The faces' methods have their signatures and docstrings from here.
"""

from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Unpack, cast

import sagemaker_runtime_client  # for the late names of annotations, which tools look up
from sigv4 import CredentialsProvider

from .._aws.error_response import json_error
from .._aws.operation import Call
from .._errors import ParamValidationError
from .._inference.arguments import INLINE_LIMIT, as_bytes, check_max_size, goes_inline, unexpected
from .._inference.invocation import Invocation, Submission, invocation_of
from .._inference.request import InvokeEndpointAsyncRequest, InvokeOptions
from .._inference.schedule import (
    Schedule,
    check_invocation,
    check_listener,
    check_timeout,
    check_waiting,
    poll_schedule,
)
from .._io.generation import importing
from .._io.message import TransportOptions
from .._io.system import IO
from .._limits import INVOCATION, object_limit
from ..credentials import ChainCredentials, Context, LazyContext
from .services import Services

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._inference.output import Output
    from .._s3.client import S3
    from .._s3.objects import S3Location


class Core:
    """
    The operations, each a coroutine over *io*.

    Args:
        io: The outside world.
        arguments: The settings that the caller gave, by name; None leaves one to the environment.
        credentials: Whatever gives credentials; None takes the chain's.
    """

    def __init__(
        self, io: IO, arguments: Mapping[str, Any], credentials: CredentialsProvider | None
    ) -> None:
        self._io = io
        self._context = LazyContext(io, arguments)
        self._credentials = (
            ChainCredentials(io, self._context) if credentials is None else credentials
        )
        self._made: Services | None = None

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
            TransportError: No answer, or not in time; `may_have_been_taken` says whether the job may
                be queued, and `inference_id` under which id.  An interrupt or a cancellation has that
                attribute, too, and a note.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
        """
        start = self._start(timeout)
        has_new_name = _has_new_name(inference_id, filename)
        if inference_id is None and generate_inference_id:
            inference_id = self._io.uuid()
        request = InvokeEndpointAsyncRequest(
            endpoint_name,
            input_location=input_location,
            body=body,
            content_type=content_type,
            accept=accept,
            custom_attributes=custom_attributes,
            inference_id=inference_id,
            s3_output_path_extension=s3_output_path_extension,
            filename=filename,
            request_ttl_seconds=request_ttl_seconds,
            invocation_timeout_seconds=invocation_timeout_seconds,
        )
        deadline = (await self._services()).deadline(start, timeout)
        with Submission() as submission:
            return await self._submit(
                request, submission, has_new_name=has_new_name, deadline=deadline
            )

    async def wait(
        self,
        invocation: Invocation,
        *,
        timeout: float,
        schedule: Schedule = poll_schedule,
        access_denied_grace: float | None = None,
        max_size: int | None = None,
    ) -> "sagemaker_runtime_client.Output":
        """
        Wait for the endpoint's answer to *invocation*, and return it.

        The output is looked for with GET, since a refused HEAD does not say why.  Where there is
        both an output and a failure, the output wins.  An object older than the invocation, at
        the location of a reused ``filename`` or ``inference_id``, is no answer.  Failures of the
        network, and of the credentials' source if they may pass, are waited through.

        Args:
            invocation: What `invoke_endpoint_async` returned.
            timeout: Seconds to wait in all, from now; 0 looks once.  An output that is there by then,
                but larger than the time that is left, may take another minute to arrive.
            schedule: Takes the seconds waited so far and returns those until the next look.
            access_denied_grace: After so many seconds of nothing but 403 AccessDenied for the
                output, raise that.  Without ``s3:ListBucket`` a missing key looks the same, so by
                default it is waited through to the end.
            max_size: How many bytes the output may have; None for any number.  It is held in memory
                as a whole.

        Returns:
            The output object: body, content type, metadata, location.

        Raises:
            InferenceFailedError: The failure object was written; see ``reason``.
            WaitTimeoutError: Neither object is there yet.  The inference may still succeed: wait
                again with the error's ``invocation``.
            ResponseTooLargeError: The output is larger than *max_size*.
            AccessDeniedError: The credentials do not serve, or the object's KMS key does not.
            ObjectNotFoundError: There is no such bucket.
            NoOutputLocationError: The service did not say where the output will be.
            CredentialsError: There are none, or their source fails.
            ConfigError: A setting is malformed.
            ParamValidationError: An argument is wrong.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
        """
        check_invocation(invocation)
        check_max_size(max_size)
        with Submission(invocation):
            wait, s3 = await self._prepare_wait()
            return await wait(
                self._io,
                s3,
                invocation,
                timeout=timeout,
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                max_size=max_size,
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
        with Submission() as submission:
            return await self._submit_payload(
                submission,
                endpoint_name,
                payload,
                input_prefix=input_prefix,
                inline=inline,
                generate_inference_id=generate_inference_id,
                start=self._start(timeout),
                timeout=timeout,
                options=options,
            )

    async def infer(
        self,
        endpoint_name: str,
        payload: bytes | bytearray | memoryview,
        *,
        timeout: float,
        input_prefix: str | None = None,
        inline: bool | None = None,
        schedule: Schedule = poll_schedule,
        access_denied_grace: float | None = None,
        max_size: int | None = None,
        on_invocation: Callable[[Invocation], object] | None = None,
        generate_inference_id: bool = True,
        **options: Unpack[InvokeOptions],
    ) -> "sagemaker_runtime_client.Output":
        """
        Run an inference from payload to answer: `submit` it, `wait`, and return the output.

        Args:
            endpoint_name: As for `invoke_endpoint_async`.
            payload: As for `submit`.
            timeout: Seconds in all, from the call's start, the upload included.  An answer that is
                there by then may take longer to arrive, as for `wait`.
            input_prefix: As for `submit`.
            inline: As for `submit`.
            schedule: As for `wait`.
            access_denied_grace: As for `wait`.
            max_size: As for `wait`.
            on_invocation: Called with the handle as soon as the job is queued, to keep it; in an
                async client it may be async, in a blocking one that is refused before anything is sent.
            generate_inference_id: As for `invoke_endpoint_async`.
            options: As for `submit`.

        Returns:
            The output object: body, content type, metadata, location.

        Raises:
            RuntimeClientError: What `submit` and `wait` raise.  Once the job is queued, the
                error's ``invocation`` is the handle.
        """
        start = self._start(timeout)
        check_waiting(timeout, schedule, access_denied_grace)
        check_max_size(max_size)
        check_listener(on_invocation)
        wait, s3 = await self._prepare_wait()
        await s3.load()
        with Submission() as submission:
            invocation = await self._submit_payload(
                submission,
                endpoint_name,
                payload,
                input_prefix=input_prefix,
                inline=inline,
                generate_inference_id=generate_inference_id,
                start=start,
                timeout=timeout,
                options=options,
            )
            kept = None if on_invocation is None else on_invocation(invocation)
            if isawaitable(kept):
                await kept
            return await wait(
                self._io,
                s3,
                invocation,
                timeout=max(0.0, start + timeout - self._io.monotonic()),
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                max_size=max_size,
            )

    async def put_object(
        self,
        location: str,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> "sagemaker_runtime_client.S3Object":
        """
        Write an object in one request: at most 5 GiB.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            body: Its bytes.
            content_type: Its MIME type; S3 takes ``binary/octet-stream`` without one.
            metadata: Names and values in printable ASCII, stored as ``x-amz-meta-*``.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Returns:
            What S3 says of the object, its etag among it; the body is left out.

        Raises:
            ParamValidationError: The location or the metadata is malformed; nothing was sent.
            ServiceError: S3 refused; `code` says why.
            TransportError: No answer, or not in time.
        """
        start = self._start(timeout)
        where = _location(location)
        body = await self._bytes(body, "body")
        services = await self._services()
        return await services.s3.put(
            where,
            body,
            content_type=content_type,
            metadata=metadata,
            deadline=services.deadline(start, timeout),
        )

    async def get_object(
        self, location: str, *, max_size: int | None = None, timeout: float | None = None
    ) -> "sagemaker_runtime_client.S3Object":
        """
        Read an object.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            max_size: How many bytes it may have; None for any number.  It is held in memory as a
                whole.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Raises:
            ObjectNotFoundError: There is no such key or bucket.
            AccessDeniedError: ``s3:GetObject`` is missing, or ``kms:Decrypt`` for the object's KMS
                key; or there is no such key, and no ``s3:ListBucket`` to be told so.
            ResponseTooLargeError: It is larger than *max_size*.
            ParamValidationError: An argument is malformed; nothing was sent.
            ServiceError: S3 refused; `code` says why.
            TransportError: No answer, or not all of it, or not in time.
        """
        start = self._start(timeout)
        where = _location(location)
        check_max_size(max_size)
        services = await self._services()
        deadline = services.deadline(start, timeout)
        return await services.s3.get(where, limit=object_limit(max_size), deadline=deadline)

    async def head_object(
        self, location: str, *, timeout: float | None = None
    ) -> "sagemaker_runtime_client.S3Object":
        """
        Read all of an object but its body.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Raises:
            ObjectNotFoundError: There is no such key or bucket.  S3 names no code, so that `code` is
                the status, ``404``.
            AccessDeniedError: As for `get_object`; `code` is ``403``.
            ParamValidationError: The location is malformed; nothing was sent.
            ServiceError: S3 refused; `code` is the status.
            TransportError: No answer, or not in time.
        """
        start = self._start(timeout)
        where = _location(location)
        services = await self._services()
        return await services.s3.head(where, deadline=services.deadline(start, timeout))

    async def close(self) -> None:
        """
        Close the connections that were opened here; a user-supplied client stays open.

        What is under way goes on, and loses nothing: a request that was sent or waits for a connection, and
        a `wait` between two looks, which opens a new connection for the next one.  So does a closed client
        that is used again.  But it keeps none of them after its request, so that nothing is left open
        when the last call ends.
        """
        await self._io.close()

    def _start(self, timeout: float | None) -> float:
        """Return when a call begins, if its *timeout* can be one."""
        check_timeout(timeout)
        return self._io.monotonic()

    async def _submit_payload(
        self,
        submission: Submission,
        endpoint_name: str,
        payload: bytes | bytearray | memoryview,
        *,
        input_prefix: str | None,
        inline: bool | None,
        generate_inference_id: bool,
        start: float,
        timeout: float | None,
        options: InvokeOptions,
    ) -> Invocation:
        """Do what `submit` does, in time for a call that began at *start*."""
        body = await self._bytes(payload, "payload")
        if unknown := options.keys() - InvokeOptions.__annotations__:
            raise unexpected(unknown)
        upload = (
            None
            if goes_inline(body, inline)
            else _upload_location(input_prefix, len(body), inline, self._io)
        )
        has_new_name = _has_new_name(options.get("inference_id"), options.get("filename"))
        if options.get("inference_id") is None and generate_inference_id:
            options["inference_id"] = self._io.uuid()
        request = InvokeEndpointAsyncRequest(
            endpoint_name,
            input_location=None if upload is None else str(upload),
            body=body if upload is None else None,
            **options,
        )
        services = await self._services()
        deadline = services.deadline(start, timeout)
        if upload is not None:
            _ = services.endpoint  # what is wrong with that setting is said before the upload
            await services.s3.put(
                upload, body, content_type=request.content_type, deadline=deadline
            )
        return await self._submit(request, submission, has_new_name=has_new_name, deadline=deadline)

    async def _bytes(self, value: object, argument: str) -> bytes:
        """Return the bytes of an argument: a copy of what may change."""
        may_change = isinstance(value, bytearray | memoryview)
        size = memoryview(cast("bytes", value)).nbytes if may_change else 0
        return await self._io.compute(size, as_bytes, value, argument)

    async def _submit(
        self,
        request: InvokeEndpointAsyncRequest,
        submission: Submission,
        *,
        has_new_name: bool,
        deadline: float | None,
    ) -> Invocation:
        """Send a checked request, and return the handle."""
        submission.inference_id = request.inference_id
        services = await self._services()
        await self._io.begin(deadline)
        try:
            call = Call(
                services.endpoint,
                request.to_http(),
                json_error,
                idempotent=False,
                limit=INVOCATION,
                deadline=deadline,
                progress=submission.progress,
            )
            reply = await services.caller.call(call)
            since = reply.taken_since
            submission.invocation = invocation_of(
                reply.response,
                request.inference_id,
                endpoint_name=request.endpoint_name,
                attempts=reply.attempts,
                age_of_first=None if since is None else self._io.monotonic() - since,
                has_new_name=has_new_name,
            )
            return submission.invocation
        finally:
            self._io.end()

    async def _prepare_wait(self) -> "tuple[Callable[..., Coroutine[Any, Any, Output]], S3]":
        """
        Return what waits, loaded, and S3.

        Before a job is queued, where there is none yet: then no fault of a setting, and no module that
        cannot be loaded, comes between the job and its answer.
        """
        services = await self._services()
        with importing():
            from .._inference.wait import wait

            return wait, services.s3

    @property
    def transport_options(self) -> TransportOptions:
        """What a client of our own is opened with."""
        return self._context.transport_options

    async def _services(self) -> Services:
        """Find out the settings at the first call, and return the services that they lead to."""
        return self._made or self._make(await self._context())

    def _make(self, context: Context) -> Services:
        """Make the services, unless somebody else has done so in the meantime."""
        if self._made is None:
            with importing():
                import_module("email.utils")  # for an answer's date; later it may not be had
            self._made = Services(context, self._credentials)
        return self._made


def _has_new_name(inference_id: str | None, filename: str | None) -> bool:
    """Tell whether the output's name is new for certain: the service makes it of these, if they are given."""
    return inference_id is None and filename is None


def _upload_location(
    input_prefix: str | None, size: int, inline: bool | None, io: IO
) -> "S3Location":
    """Return a new location below *input_prefix*, for a payload of *size* bytes."""
    if not isinstance(input_prefix, str):
        why = f"has {size:,} bytes, and a request takes {INLINE_LIMIT:,} at most"
        if size == 0:
            why = "is empty, which a request cannot be"
        if inline is False:
            why = f"has {size:,} bytes, and inline=False was given"
        raise ParamValidationError(
            f"input_prefix is needed, such as s3://bucket/inputs/: the payload goes through S3, for it {why}",
            argument="input_prefix",
        )
    return _location(f"{input_prefix.rstrip('/')}/{io.uuid()}", "input_prefix")


def _location(text: str, argument: str = "location") -> "S3Location":
    """Return the location that an argument names."""
    from .._s3.objects import S3Location

    return S3Location.parse(text, argument=argument)
