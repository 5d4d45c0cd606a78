"""`sqs_submitter`: a Lambda handler that submits each message of a queue as a job.

The inference id and the file name of the output are computed from the ARN of the queue and the id
of the message, so that every attempt to submit a message uses the same ones.  A redelivered message
is not submitted again if its handle is recorded in the claims, or if its output exists in the
output prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .._errors import ObjectNotFoundError, ParamValidationError
from .._inference.invocation import Invocation
from .._io.run import is_async
from .._settings.setting import locations
from .._value import type_name
from ._batch import Invocation as LambdaInvocation
from ._batch import check_options, event_records, is_fifo, log_errors, report, resolve
from ._claims import Claim, Claims, MemoryClaims
from ._jobs import Job, Message
from ._loop import run_handler
from ._s3_claims import Client, check_claims

if TYPE_CHECKING:
    from ._decorators import Handler

JobFunction: TypeAlias = Callable[[Message], object]
Listener: TypeAlias = Callable[[Message, Invocation], object]

# A submission times out this many seconds before Lambda ends the function, so that its outcome can
# still be recorded.
_TIME_TO_RECORD = 2.0


def sqs_submitter(
    client: Client,
    endpoint_name: str | None = None,
    *,
    router: str | None = None,
    routing_target: str | None = None,
    input_prefix: str | None = None,
    output_prefix: str | None = None,
    claims: Claims | None = None,
    on_invocation: Listener | None = None,
    reserve: float = 5.0,
) -> Callable[[JobFunction], Handler]:
    """Turn a function that returns a message's input into a Lambda handler for an SQS queue.

    For example:

        @sqs_submitter(client, "my-endpoint", output_prefix="s3://my-bucket/outputs/")
        def handler(message):
            return message.body.encode()

    Each message becomes one job.  A message fails, and SQS delivers it again, if the function or
    the submission raises an error, for example because the endpoint throttles; see `sqs_handler`,
    whose requirements for the queue and the event source mapping apply here, too.  Occasionally,
    SQS delivers a message more than once.  A redelivered message is not submitted again if its
    handle is recorded in *claims*.  If an earlier attempt ended before it recorded a handle, the
    client requests the output of that attempt from *output_prefix*, and submits the message again
    only if there is no such output.

    Args:
        client: The client that submits the jobs: an async client for an async function, otherwise a
            blocking one.  With *output_prefix*, if the response to a request is lost, the request
            is not retried immediately.  Instead, the message fails, and when SQS delivers it again,
            the client first checks whether its output exists.
        endpoint_name: The name of the endpoint.
        router: The name of an inference router, which replaces *endpoint_name*.
        routing_target: The name of the routing target.  Required with *router*.
        input_prefix: Where payloads that are too large for a request are uploaded, as
            ``s3://bucket/prefix/``.
        output_prefix: The output path of the endpoint, ``S3OutputPath``, as
            ``s3://bucket/prefix/``.  The client needs ``s3:GetObject`` for this prefix.  It also
            needs ``s3:ListBucket`` for the bucket, because otherwise S3's response to a missing
            object is 403 instead of 404.  If *output_prefix* is None, a message is submitted again
            even if an earlier attempt may have been accepted.
        claims: The store that records which messages were submitted, and the handles of their jobs:
            `S3Claims`, or an object with the methods of `Claims`.  The default is `MemoryClaims`,
            which recognizes a redelivered message only in the execution environment that submitted
            it.
        on_invocation: A plain or async function that is called with the message and the handle of
            its job, for example to store the handle.  It is called for each submitted job, and
            again if an earlier attempt ended before it recorded the handle.  If it raises an error,
            the error is logged.
        reserve: How many seconds must be left before the invocation ends; otherwise, a message is
            not submitted and fails.

    Returns:
        A decorator for a plain or async function that accepts a `Message`, and returns the payload
        as bytes, or a `Job`, or None to submit nothing.  The decorator returns the handler, which
        accepts Lambda's event and context, and raises ParamValidationError if the event is not from
        SQS.

    Raises:
        ParamValidationError: An argument is invalid.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    check_options(claims, reserve, on_invocation=on_invocation)
    submitter = _Submitter(
        client,
        _target(endpoint_name, router, routing_target),
        input_prefix,
        _check_prefix(output_prefix),
        MemoryClaims() if claims is None else claims,
        on_invocation,
        reserve,
    )
    return partial(_decorate, submitter)


def _target(
    endpoint_name: str | None, router: str | None, routing_target: str | None
) -> dict[str, str | None]:
    """Return the arguments of `submit` that specify an endpoint or an inference router."""
    if (endpoint_name is None) == (router is None):
        raise ParamValidationError(
            "pass either endpoint_name, or router and routing_target", argument="endpoint_name"
        )
    if (router is None) != (routing_target is None):
        raise ParamValidationError(
            "pass router and routing_target together", argument="routing_target"
        )
    if router is None:
        return {"endpoint_name": endpoint_name}
    return {"router": router, "routing_target": routing_target}


def _check_prefix(output_prefix: str | None) -> str | None:
    if output_prefix is None:
        return None
    try:
        (prefix,) = locations([output_prefix])
    except ValueError:
        raise ParamValidationError(
            "output_prefix must be a location such as s3://bucket/prefix/",
            argument="output_prefix",
        ) from None
    return prefix


def _decorate(submitter: _Submitter, function: JobFunction) -> Handler:
    if not callable(function):
        raise ParamValidationError(
            f"function must be a function of one message, not {type_name(function)}",
            argument="function",
        )
    check_claims(submitter.claims, function)

    @wraps(function)
    def handle(event: dict[str, Any], context: object) -> object:
        return run_handler(submitter.run(function, event, context), in_loop=is_async(function))

    return handle


class _Submitter:
    """Submits the messages of a queue; `sqs_submitter` describes the arguments."""

    def __init__(
        self,
        client: Client,
        target: dict[str, str | None],
        input_prefix: str | None,
        output_prefix: str | None,
        claims: Claims,
        on_invocation: Listener | None,
        reserve: float,
    ) -> None:
        # With an output prefix, a request that may have queued a job is not retried, because the
        # next delivery first checks whether the output exists.
        self._client = (
            client if output_prefix is None else client.with_options(retry_ambiguous=False)
        )
        self._target = target
        self._input_prefix, self._output_prefix = input_prefix, output_prefix
        self.claims, self._on_invocation, self._reserve = claims, on_invocation, reserve

    async def run(self, function: JobFunction, event: dict[str, Any], context: object) -> object:
        """Submit the messages in an event, and return the partial batch response."""
        records = event_records(event, "aws:sqs")
        messages = [Message.from_record(record) for record in records]
        lambda_invocation = LambdaInvocation(context, self.claims, self._reserve)

        async def handle(message: Message) -> None:
            lambda_invocation.check_time()
            submit = partial(self._submit, lambda_invocation, function, message)
            await lambda_invocation.once(f"submit-{message.job_name}", submit)

        await lambda_invocation.handle_each(messages, handle, in_order=is_fifo(records))
        return report("aws:sqs", records, lambda_invocation.failures)

    async def _submit(
        self,
        lambda_invocation: LambdaInvocation,
        function: JobFunction,
        message: Message,
        claim: Claim,
    ) -> str | None:
        """Submit a message, and return its job's handle as JSON; None if there is no input."""
        job = _to_job(await resolve(function(message)))
        if job is None:
            return None
        invocation = None
        if claim.repeated or message.receive_count > 1:
            invocation = await self._find(message, job)
        if invocation is None:
            left = lambda_invocation.check_time(_TIME_TO_RECORD)  # the function may be slow
            invocation = await self._send(job, message.job_name, left - _TIME_TO_RECORD)
        if self._on_invocation is not None:
            await log_errors("call on_invocation", self._on_invocation, message, invocation)
        return invocation.to_json()

    async def _send(self, job: Job, name: str, timeout: float) -> Invocation:
        arguments: dict[str, object] = {
            **job.options,
            "inference_id": name,
            "filename": name,
            "timeout": timeout,
        }
        if job.input_location is None:
            submit: Any = self._client.submit
            arguments |= {
                "payload": job.payload,
                "input_prefix": self._input_prefix,
                **self._target,
            }
        elif "router" in self._target:
            submit = self._client.invoke_inference_router_async
            arguments |= {
                "inference_router_name": self._target["router"],
                "routing_target": self._target["routing_target"],
                "input_location": job.input_location,
            }
        else:
            submit = self._client.invoke_endpoint_async
            arguments |= {"input_location": job.input_location, **self._target}
        invocation: Invocation = await resolve(submit(**arguments))
        return invocation

    async def _find(self, message: Message, job: Job) -> Invocation | None:
        """Return a handle of the job of an earlier attempt, or None if there is no output."""
        if self._output_prefix is None:
            return None
        extension = (job.s3_output_path_extension or "").strip("/")
        folder = f"{self._output_prefix}{extension}/" if extension else self._output_prefix
        for name in (message.job_name, f"{message.job_name}.out"):
            with suppress(ObjectNotFoundError):
                found = await resolve(self._client.head_object(folder + name))
                return Invocation(
                    message.job_name,
                    found.location,
                    endpoint_name=self._target.get("endpoint_name"),
                    inference_router_name=self._target.get("router"),
                    routing_target=self._target.get("routing_target"),
                )
        return None


def _to_job(result: object) -> Job | None:
    if result is None or isinstance(result, Job):
        return result
    if isinstance(result, bytes | bytearray | memoryview):
        return Job(cast("bytes", result))
    raise ParamValidationError(
        f"the function must return bytes, a Job or None, not {type_name(result)}",
        argument="function",
    )
