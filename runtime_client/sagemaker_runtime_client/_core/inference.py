"""Wait for the answer to a job, and from payload to answer in one call."""

from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import TYPE_CHECKING, Unpack

from .. import _core
from .._inference.arguments import (
    check_invocation,
    check_listener,
    check_max_size,
    check_waiting,
)
from .._inference.invocation import Invocation, Submission
from .._inference.invoke_endpoint_async import InvokeOptions
from .._inference.schedule import Schedule, poll_schedule
from .._io.generation import importing
from .._value import JobHandle
from .submission import SubmissionOperations

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._s3.client import S3


class InferenceOperations(SubmissionOperations):
    """Operations that return a job's answer."""

    _wait: "Callable[..., Coroutine[object, object, _core.Output]] | None" = None

    async def wait(
        self,
        invocation: JobHandle,
        *,
        timeout: float,
        schedule: Schedule = poll_schedule,
        access_denied_grace: float | None = None,
        max_size: int | None = None,
    ) -> "_core.Output":
        """
        Wait for the endpoint's answer to *invocation*, and return it.

        The output is looked for with GET, since a refused HEAD does not say why.  Where there is
        both an output and a failure, the output wins.  An object older than the invocation, at
        the location of a reused ``filename`` or ``inference_id``, is no answer.  Failures of the
        network, and of the credentials' source if they may pass, are waited through.

        Args:
            invocation: What `invoke_endpoint_async` returned, or an error has as its ``invocation``.
            timeout: Seconds to wait in all, from now; 0 polls once.  An output that is there by then,
                but larger than the time that is left, may take another minute to arrive.
            schedule: Takes the seconds waited so far and returns those until the next poll.
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
        job = check_invocation(invocation)
        check_max_size(max_size)
        with Submission(job):
            wait, s3 = await self._prepare_wait()
            return await wait(
                self._system,
                s3,
                job,
                timeout=timeout,
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                max_size=max_size,
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
    ) -> "_core.Output":
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
            arguments, upload = await self._arguments(
                endpoint_name, payload, input_prefix, inline, options
            )
            invocation = await self._submit(
                submission,
                arguments,
                upload,
                generate_inference_id=generate_inference_id,
                start=start,
                timeout=timeout,
            )
            kept = None if on_invocation is None else on_invocation(invocation)
            if isawaitable(kept):
                await kept
            return await wait(
                self._system,
                s3,
                invocation,
                timeout=max(0.0, start + timeout - self._system.monotonic()),
                schedule=schedule,
                access_denied_grace=access_denied_grace,
                max_size=max_size,
            )

    async def _prepare_wait(
        self,
    ) -> "tuple[Callable[..., Coroutine[object, object, _core.Output]], S3]":
        """
        Return what waits, loaded, and S3.

        Before a job is queued, where there is none yet: then no fault of a setting, and no module that
        cannot be loaded, comes between the job and its answer.
        """
        session = await self._session()
        if self._wait is None:
            with importing():
                from .._inference.wait import wait
            self._wait = wait
        return self._wait, session.s3
