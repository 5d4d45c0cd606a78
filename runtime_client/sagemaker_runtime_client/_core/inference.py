"""Operations that return the output of a job: `wait`, `infer` and `fetch`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import TYPE_CHECKING, Unpack

from .. import _core
from .._errors import RuntimeClientError
from .._inference.arguments import (
    PayloadOptions,
    Schedule,
    check_invocation,
    check_listener,
    check_max_size,
    check_waiting,
    poll_schedule,
    submission_target,
)
from .._inference.invocation import Invocation, Submission
from .._inference.invoke_endpoint_async import InvokeOptions
from .._io.generation import importing
from .._limits import object_limit
from .._value import JobHandle
from .submission import SubmissionOperations

if TYPE_CHECKING:  # imported when S3 is first needed, to keep other first calls fast
    from .._s3.client import S3
    from .._s3.objects import S3Location

_log = logging.getLogger("sagemaker_runtime_client")
# The maximum number of seconds that the deletion of an input may take.
_DELETION_TIME = 10.0


class InferenceOperations(SubmissionOperations):
    """Operations that return the output of a job."""

    _wait: Callable[..., Coroutine[object, object, _core.Output]] | None = None

    async def wait(
        self,
        invocation: JobHandle,
        *,
        timeout: float,
        schedule: Schedule = poll_schedule,
        access_denied_grace: float | None = None,
        max_size: int | None = None,
        output: _core.TargetLike | None = None,
    ) -> _core.Output:
        """Wait for the output of a queued job, and return it.

        The client polls S3 for the output object and the failure object.  If both exist, the output
        is returned.  An object that is older than the job is ignored; such an object can exist if a
        ``filename`` or an ``inference_id`` is reused.  Network errors and transient failures of S3
        or the credentials provider do not end the wait.

        Args:
            invocation: The handle that `invoke_endpoint_async` or `submit` has returned, or the
                ``invocation`` of an error.
            timeout: The time limit in seconds, 0 to 1,000,000,000; 0 polls once, and repeats the
                poll for up to a second after transient errors.  An output that is still being
                transferred at the time limit may take another minute.
            schedule: A plain (not async) function that accepts the seconds waited so far and
                returns the seconds from the start of this poll to the start of the next one.  The
                default returns 0.4 at first and at most 14.5.
            access_denied_grace: The number of seconds for which S3 may respond to every request for
                the output with 403 before AccessDeniedError is raised.  None waits until the
                timeout: without ``s3:ListBucket``, S3 also sends 403 for a missing output.
            max_size: The maximum size of the output in bytes; None for no limit.
            output: A path or another target, as for `download`, to which the output is written
                instead of being held in memory.

        Returns:
            The output: its body, content type, metadata, location and date.  With *output*, `body`
            is empty.

        Raises:
            InferenceFailedError: The endpoint has written the failure object; ``reason`` contains
                its message.  Correct the input or the model before you submit the job again.
            WaitTimeoutError: Neither object existed at the timeout.  The job may still succeed:
                call `wait` again with the error's ``invocation``.
            ResponseTooLargeError: The output is larger than *max_size*.
            AccessDeniedError: The credentials are invalid, they do not allow ``kms:Decrypt`` for
                the KMS key of the output, or *access_denied_grace* has passed.
            TargetError: *output* cannot be written.
            ObjectNotFoundError: The bucket does not exist.
            ServiceError: S3 rejected a poll for another reason that is not transient; see `code`.
            NoOutputLocationError: The service did not return the location of the output.
            CredentialsError: There are no valid credentials, or their provider failed.
            ConfigError: A setting is missing or malformed.
            ParamValidationError: An argument is invalid; `argument` is its name.

        Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
        """
        job = check_invocation(invocation)
        check_max_size(max_size)
        with Submission(job):
            wait, s3 = await self._prepare_wait(output)
            return await wait(
                self._system,
                s3,
                job,
                timeout=timeout,
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                limit=object_limit(max_size),
            )

    async def infer(
        self,
        endpoint_name: str | None = None,
        payload: _core.Source | str | None = None,
        *,
        timeout: float,
        json: object = None,
        router: str | None = None,
        routing_target: str | None = None,
        input_prefix: str | None = None,
        input_options: _core.ObjectOptions | None = None,
        inline: bool | None = None,
        clean_up: bool = False,
        schedule: Schedule = poll_schedule,
        access_denied_grace: float | None = None,
        max_size: int | None = None,
        output: _core.TargetLike | None = None,
        on_invocation: Callable[[Invocation], object] | None = None,
        generate_inference_id: bool = True,
        **options: Unpack[InvokeOptions],
    ) -> _core.Output:
        """Submit a payload, wait for the output, and return it: `submit` and `wait` in one call.

        Args:
            endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
            payload: The input, as for `submit`.
            timeout: The time limit of the whole call in seconds, including an upload, up to
                1,000,000,000.  An output that is still being transferred at the time limit may take
                another minute.
            json: The input as a value that is sent as a JSON document, instead of *payload*.
            router: The name of an inference router, which replaces *endpoint_name*.  The payload is
                then always uploaded.
            routing_target: The name of the routing target.  Required with *router*.
            input_prefix: The S3 location below which a payload is uploaded, such as
                ``s3://bucket/inputs/``; the client appends a new UUID.  Required if the payload is
                uploaded.
            input_options: Options of `put_object` for the uploaded payload.
            inline: True always sends the payload in the request, and False always uploads it.  None
                sends a payload of 1 to 128,000 bytes in the request, and uploads any other.
            clean_up: Whether to delete the uploaded payload after the output was received, which
                needs ``s3:DeleteObject``.  If the deletion fails, a warning is logged.
            schedule: As for `wait`.
            access_denied_grace: As for `wait`.
            max_size: As for `wait`.
            output: As for `wait`.
            on_invocation: A function that is called with the `Invocation` as soon as the job is
                queued, for example to store the handle.  An async client also accepts an async
                function; a blocking client rejects an async function before it sends anything.
            generate_inference_id: Whether to send a new UUID if *inference_id* is missing.
            options: Optional arguments of `invoke_endpoint_async`, which describes them:
                *content_type*, *accept*, *custom_attributes*, *inference_id*,
                *s3_output_path_extension*, *filename*, *request_ttl_seconds*,
                *invocation_timeout_seconds*.

        Returns:
            The output: its body, content type, metadata, location and date.

        Raises:
            InferenceFailedError: The endpoint has written the failure object; ``reason`` contains
                its message.  Correct the input or the model before you submit the job again.
            WaitTimeoutError: The job is queued but has no result yet: call `wait` with the error's
                ``invocation``.
            ParamValidationError: An argument is invalid; nothing was sent.
            RuntimeClientError: Any other error that `submit` or `wait` raises; their descriptions
                state what to do.  If the job is queued, the error's ``invocation`` is its handle.
        """
        start = self._start(timeout)
        check_waiting(timeout, schedule, access_denied_grace)
        check_max_size(max_size)
        check_listener(on_invocation)
        wait, s3 = await self._prepare_wait(output)
        await s3.load()
        with Submission() as submission:
            target = submission_target(endpoint_name, router, routing_target, options)
            payload_options = PayloadOptions(json, input_prefix, input_options, inline)
            async with self._arguments(target, payload, payload_options, options) as prepared:
                invocation = await self._submit(
                    submission,
                    *prepared,
                    generate_inference_id=generate_inference_id,
                    start=start,
                    timeout=timeout,
                )
            result = None if on_invocation is None else on_invocation(invocation)
            if isawaitable(result):
                await result
            found = await wait(
                self._system,
                s3,
                invocation,
                timeout=max(0.0, start + timeout - self._system.monotonic()),
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                limit=object_limit(max_size),
            )
            _, upload = prepared
            if clean_up and upload is not None:
                await self._delete_input(s3, upload.location)
            return found

    async def _delete_input(self, s3: S3, location: S3Location) -> None:
        with importing():
            from .._s3.buckets import delete_object
        try:
            await delete_object(s3, location, self._system.monotonic() + _DELETION_TIME)
        except RuntimeClientError as error:
            _log.warning("the input %s was not deleted: %s", location, error)

    async def fetch(
        self,
        event: _core.Event,
        *,
        invocation: JobHandle | None = None,
        timeout: float | None = None,
        max_size: int | None = None,
    ) -> _core.Output:
        """Return the output that an event announces, or raise the error that it announces.

        An event may be forged, late, or delivered twice, so the result is read from S3 whenever
        possible.  A `Failed` event is accepted without a failure object if the endpoint has no
        ``S3FailurePath`` or if the location of the failure object is not known.

        A location in an event is used only if it equals that in *invocation*, or if the client's
        ``allowed_locations`` include it.

        Args:
            event: A `Completed`, `Failed` or `ObjectCreated` that ``events.parse`` has returned.
            invocation: The handle of the job, if you have stored it.  If its locations and names
                contradict the event, an error is raised.
            timeout: How many seconds S3 is polled, up to 1,000,000,000; None polls once.
            max_size: The maximum size of the output in bytes; None for no limit.

        Returns:
            The output.  If a trusted event contains the output, nothing is requested; `metadata` is
            then empty, and `last_modified` and `etag` are None.

        Raises:
            InferenceFailedError: The inference failed; ``reason`` contains the message of the
                failure object or, if S3 was not polled, that of the event.
            WaitTimeoutError: S3 has neither an output nor a failure object.  Try again later.
            LocationNotAllowedError: A location is outside ``allowed_locations``; nothing was
                requested.
            ParamValidationError: An argument is invalid, the event announces no result, it is about
                another job than *invocation*, or its location is not confirmed; nothing was
                requested.
            RuntimeClientError: Any other error that `wait` raises.
        """
        job = None if invocation is None else check_invocation(invocation)
        seconds = 0.0 if timeout is None else timeout
        check_waiting(seconds, poll_schedule, None)
        check_max_size(max_size)
        with Submission(job):
            wait, s3 = await self._prepare_wait()
            with importing():
                from .fetch import decide
            found = decide(event, job, s3, max_size)
        if not isinstance(found, Invocation):
            return found
        with Submission(found):
            return await wait(
                self._system,
                s3,
                found,
                timeout=seconds,
                schedule=poll_schedule,
                access_denied_grace=None,
                limit=object_limit(max_size),
            )

    async def _prepare_wait(
        self, output: _core.TargetLike | None = None
    ) -> tuple[Callable[..., Coroutine[object, object, _core.Output]], S3]:
        """Load the function that waits for an output, and return it with the S3 client.

        `infer` calls this before it queues a job, so that an invalid setting or a module that
        cannot be loaded raises an error before the job is queued.
        """
        session = await self._session()
        if self._wait is None:
            with importing():
                from .._inference.wait import wait
            self._wait = wait
        if output is None:
            return self._wait, session.s3
        with importing():
            from .saving import SavingWait
        return SavingWait(self._wait, self._system, session.transport, output), session.s3
