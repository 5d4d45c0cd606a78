"""The decorators `sqs_handler`, `sns_handler` and `s3_handler`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeAlias, Unpack, overload

from .._errors import ParamValidationError
from .._io.run import is_async
from .._value import type_name
from ._events import EventHandler, Function, HandlerOptions, Options
from ._loop import run_handler
from ._s3_claims import check_claims

Handler: TypeAlias = Callable[[dict[str, Any], object], object]
Decorator: TypeAlias = Callable[[Function], Handler]


@overload
def sqs_handler(function: Function, /) -> Handler: ...


@overload
def sqs_handler(**options: Unpack[HandlerOptions]) -> Decorator: ...


def sqs_handler(
    function: Function | None = None, /, **options: Unpack[HandlerOptions]
) -> Handler | Decorator:
    """Turn a function that accepts one event into a Lambda handler for an SQS queue.

    For example:

        @sqs_handler(claims=S3Claims(client, "s3://my-bucket/claims/"))
        def handler(event):
            store(client.fetch(event))

    The messages in the queue may be notifications that SageMaker sends through SNS, or that S3
    sends directly or through SNS.  The function is called once for each event, one after the other.
    A message fails if the function raises an error, if another invocation is handling it, or if too
    little time is left.  The handler returns the ids of the failed messages, and SQS delivers only
    these again.  If the queue is a FIFO queue, all messages after the first failed message fail,
    too, without being handled, so that the order is kept.

    Set ``FunctionResponseTypes: [ReportBatchItemFailures]`` in the event source mapping.  Without
    it, Lambda ignores the handler's result and deletes failed messages.  The queue's visibility
    timeout should be at least six times the function's timeout.

    Args:
        function: A plain or async function that accepts a `Completed`, `Failed` or `ObjectCreated`.
            Its result is ignored.
        claims: The store that records which events were handled, so that an event that is delivered
            again is not handled again: `S3Claims`, or an object with the methods of `Claims`.  The
            default is `MemoryClaims`, which recognizes a redelivered event only in the execution
            environment that handled it before.
        trusted_sources: The ARNs of queues, topics or buckets.  If it is not empty, an event from
            another source is untrusted.  Only an event from these sources contains the response
            body that SageMaker may have included.
        allowed_locations: The buckets and prefixes in which outputs may be, as ``s3://bucket`` or
            ``s3://bucket/prefix/``.  If it is not empty, an event that refers to another location
            is untrusted.
        on_ignored: A plain or async function that is called with an `Ignored` whose `kind` is
            ``"unknown"``, ``"malformed"`` or ``"untrusted"``.  If it returns without an error, the
            message counts as handled.  If *on_ignored* is None, these messages fail.  Messages of
            the other kinds need no handling, and never fail.
        reserve: How many seconds must be left before the invocation ends; otherwise, an event is
            not handled and fails.

    Returns:
        The handler, which accepts Lambda's event and context.  It raises ParamValidationError if
        the event is not from SQS.

    Raises:
        ParamValidationError: An argument is invalid.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return _decorate(function, options, "aws:sqs")


@overload
def sns_handler(function: Function, /) -> Handler: ...


@overload
def sns_handler(**options: Unpack[HandlerOptions]) -> Decorator: ...


def sns_handler(
    function: Function | None = None, /, **options: Unpack[HandlerOptions]
) -> Handler | Decorator:
    """Turn a function that accepts one event into a Lambda handler for an SNS topic.

    For example:

        @sns_handler(claims=S3Claims(client, "s3://my-bucket/claims/"))
        def handler(event):
            store(client.fetch(event))

    If the function raises an error, or if an event cannot be handled for another reason, the
    handler handles the remaining events and then raises an error.  Lambda then invokes it again
    with the same event, twice by default, and finally passes the event to the function's
    dead-letter queue or failure destination.  Configure one of them, because otherwise the event is
    lost.

    Args:
        function: A plain or async function that accepts a `Completed`, `Failed` or `ObjectCreated`.
            Its result is ignored.
        claims: See `sqs_handler`.
        trusted_sources: See `sqs_handler`.
        allowed_locations: See `sqs_handler`.
        on_ignored: See `sqs_handler`.
        reserve: See `sqs_handler`.

    Returns:
        The handler, which accepts Lambda's event and context.  If one event fails, it raises that
        event's error, and if several fail, an ``ExceptionGroup``.  It raises ParamValidationError
        if the Lambda event is not from SNS.

    Raises:
        ParamValidationError: An argument is invalid.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    return _decorate(function, options, "aws:sns")


@overload
def s3_handler(function: Function, /) -> Handler: ...


@overload
def s3_handler(**options: Unpack[HandlerOptions]) -> Decorator: ...


def s3_handler(
    function: Function | None = None, /, **options: Unpack[HandlerOptions]
) -> Handler | Decorator:
    """Turn a function that accepts an `ObjectCreated` into a Lambda handler for S3 or EventBridge.

    For example:

        @s3_handler(claims=S3Claims(client, "s3://my-bucket/claims/"))
        def handler(event):
            store(client.fetch(event, invocation=load_handle(event)))

    If an event is not handled, the handler raises an error, as `sns_handler` describes.

    Args:
        function: A plain or async function that accepts an `ObjectCreated`.  Its result is ignored.
        claims: See `sqs_handler`.
        trusted_sources: See `sqs_handler`.
        allowed_locations: See `sqs_handler`.
        on_ignored: See `sqs_handler`.
        reserve: See `sqs_handler`.

    Returns:
        The handler, which accepts Lambda's event and context.  If one event fails, it raises that
        event's error, and if several fail, an ``ExceptionGroup``.  It raises ParamValidationError
        if the Lambda event is from neither S3 nor EventBridge.

    Raises:
        ParamValidationError: An argument is invalid.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html
    """
    return _decorate(function, options, "aws:s3")


def _decorate(
    function: Function | None, options: HandlerOptions, source: str
) -> Handler | Decorator:
    make = partial(_make_handler, Options(**options), source)
    return make if function is None else make(function)


def _make_handler(options: Options, source: str, function: Function) -> Handler:
    if not callable(function):
        raise ParamValidationError(
            f"function must be a function of one event, not {type_name(function)}",
            argument="function",
        )
    check_claims(options.claims, function)
    handler = EventHandler(function, options, source)

    @wraps(function)
    def handle(event: dict[str, Any], context: object) -> object:
        return run_handler(handler.run(event, context), in_loop=is_async(function))

    return handle
