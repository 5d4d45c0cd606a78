"""One invocation of a Lambda function, which handles each record and reports failed records.

Records are handled one at a time, in the order of the event.  A record fails if the user's function
raises an error, if another invocation is handling the record, or if too little time is left.  A
failed record must be delivered again.  For SQS, the Lambda function returns the ids of the failed
records.  For other sources, it raises an error, and Lambda invokes it again with the whole event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from inspect import isawaitable
from typing import Any, TypeAlias, TypeVar, cast, get_args

from .._errors import ParamValidationError, RuntimeClientError
from .._value import type_name
from ._claims import Claim, Claims, State
from ._loop import cancelled_itself

T = TypeVar("T")

Record: TypeAlias = Mapping[str, object]

# A claim expires this many seconds after the end of the invocation, because clocks differ, and
# because Lambda ends a function a little later than announced.
_MARGIN = 10.0
# The maximum time limit of a Lambda function, which applies if the context does not state one.
_MAX_SECONDS = 900.0
# The names of a record's field for the event source: SQS and S3 use the first, SNS the second.
_SOURCES = ("eventSource", "EventSource")

_STATES = get_args(State)

_log = logging.getLogger("sagemaker_runtime_client")


class MessageNotHandledError(RuntimeClientError):
    """A message was not handled, and must be delivered again.

    Another invocation is handling the message, too little time was left, an earlier message of the
    FIFO queue failed, or the handler does not accept the message.  You need not do anything: AWS
    delivers the message again and, if it fails too often, moves it to the dead-letter queue, if
    there is one.
    """

    retryable = True


class Invocation:
    """One invocation of a Lambda function.

    Args:
        context: The second argument of a Lambda handler; None in a test.
        claims: The store that records which messages are being handled or were handled.
        reserve: How many seconds must be left before the invocation ends; otherwise, a record is
            not handled.

    Attributes:
        failures: Why records failed, keyed by their index.
    """

    def __init__(self, context: object, claims: Claims, reserve: float) -> None:
        self._time_left = getattr(context, "get_remaining_time_in_millis", None)
        self._claims, self._reserve = claims, reserve
        self.failures: dict[int, Exception] = {}

    def seconds_left(self) -> float:
        """Return the number of seconds until Lambda ends the function."""
        return _MAX_SECONDS if self._time_left is None else float(self._time_left()) / 1000

    async def handle_each(
        self,
        records: Sequence[T],
        handle: Callable[[T], Coroutine[object, object, None]],
        *,
        in_order: bool = False,
    ) -> None:
        """Handle each record, and add the error of each failed record to `failures`.

        Args:
            records: The records.
            handle: The function that handles a record.
            in_order: Whether the first failure makes all later records fail, too, as a FIFO queue
                requires.
        """
        for index, record in enumerate(records):
            try:
                self._check_order(in_order=in_order)
                await handle(record)
            except MessageNotHandledError as error:
                _log.info("record %d of %d was not handled: %s", index, len(records), error)
                self.failures[index] = error
            except BaseException as error:
                failure = _as_failure(error)
                if failure is None:
                    raise
                _log.exception("record %d of %d failed", index, len(records))
                self.failures[index] = failure

    def _check_order(self, *, in_order: bool) -> None:
        if in_order and self.failures:
            raise MessageNotHandledError("an earlier message of the FIFO queue was not handled")

    def check_time(self, needed: float = 0.0) -> float:
        """Return the seconds left in the invocation, if they suffice to handle a message.

        Args:
            needed: More than this number of seconds must be left, even if the user's reserve is
                shorter.

        Raises:
            MessageNotHandledError: Too little time is left.
        """
        left = self.seconds_left()
        if left < self._reserve or left <= needed:
            raise MessageNotHandledError("too little time was left to handle the message")
        return left

    async def once(self, key: str | None, handle: Callable[[Claim], Awaitable[str | None]]) -> None:
        """Handle a message unless it was handled before.

        Args:
            key: The key that identifies the message; if it is None, the message is always handled.
            handle: The function that handles the message, and returns the value to record.

        Raises:
            MessageNotHandledError: Another invocation is handling the message.
        """
        if key is None:
            await handle(Claim("", "claimed"))
            return
        seconds = self.seconds_left() + _MARGIN
        claim = _check_claim(await resolve(self._claims.claim(key, seconds)))
        if claim.state == "busy":
            raise MessageNotHandledError("the message is being handled elsewhere")
        if claim.state == "claimed":
            await self._handle_claimed(claim, handle)

    async def _handle_claimed(
        self, claim: Claim, handle: Callable[[Claim], Awaitable[str | None]]
    ) -> None:
        try:
            value = await handle(claim)
        except BaseException:
            await log_errors(
                "release a claim, which expires by itself", self._claims.release, claim
            )
            raise
        await log_errors("record that a message was handled", self._claims.done, claim, value)


def _as_failure(error: BaseException) -> Exception | None:
    """Return the error of a failed message, or None for an interrupt, which ends the invocation."""
    if isinstance(error, Exception):
        return error
    return MessageNotHandledError("the function was cancelled") if cancelled_itself(error) else None


def check_options(
    claims: object, reserve: object, **functions: Callable[..., object] | None
) -> None:
    """Raise ParamValidationError if an option of a handler is invalid."""
    methods = [getattr(claims, name, None) for name in ("claim", "done", "release")]
    if claims is not None and not all(map(callable, methods)):
        raise ParamValidationError(
            f"claims must have the methods of handlers.Claims, which {type_name(claims)} has not",
            argument="claims",
        )
    if not isinstance(reserve, int | float) or not 0 <= reserve <= _MAX_SECONDS:
        raise ParamValidationError(
            f"reserve must be a number of seconds from 0 to {_MAX_SECONDS:g}", argument="reserve"
        )
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise ParamValidationError(
                f"{name} must be a function, not {type_name(function)}", argument=name
            )


def _check_claim(claim: Any) -> Claim:
    """Return the result of `claim`, or raise ParamValidationError if it is not a valid Claim."""
    if not isinstance(claim, Claim) or claim.state not in _STATES:
        raise ParamValidationError(
            f"claims must return a Claim whose state is {', '.join(_STATES)}", argument="claims"
        )
    return claim


async def log_errors(task: str, function: Callable[..., object], *arguments: object) -> None:
    """Call a plain or async function, and log its error instead of raising it."""
    try:
        await resolve(function(*arguments))
    except Exception:  # noqa: BLE001 (it is logged)
        _log.warning("could not %s", task, exc_info=True)


async def resolve(result: T | Awaitable[T]) -> T:
    """Return the result of a function that may be plain or async."""
    either: Any = result
    value: T = await either if isawaitable(either) else either
    return value


def event_records(event: object, source: str) -> list[Record]:
    """Return the records of an event that Lambda passes for *source*, such as ``aws:sqs``.

    An event of EventBridge is a single record.

    Raises:
        ParamValidationError: The event is from another source.
    """
    fields = _fields(event)
    if fields.get("source") == source.replace(":", "."):
        return [fields]
    found = fields.get("Records")
    items = cast("list[object]", found) if isinstance(found, list) else []
    records: list[Record] = [_fields(item) for item in items]
    if records and all(source in [record.get(name) for name in _SOURCES] for record in records):
        return records
    raise ParamValidationError(
        f"event must be what Lambda passes for {source}: check which event source invokes this "
        "function",
        argument="event",
    )


def _fields(value: object) -> dict[str, Any]:
    """Return *value* if it is a dict; otherwise an empty dict."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def is_fifo(records: Sequence[Record]) -> bool:
    """Return whether the records are messages of an SQS FIFO queue."""
    return any(str(record.get("eventSourceARN")).endswith(".fifo") for record in records)


def report(source: str, records: Sequence[Record], failures: Mapping[int, Exception]) -> object:
    """Return the partial batch response that SQS expects; for other sources, raise the failures."""
    if source == "aws:sqs":
        ids = [records[index].get("messageId") for index in failures]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in ids]}
    errors = list(failures.values())
    if len(errors) > 1:
        raise ExceptionGroup(f"{len(errors)} of {len(records)} events were not handled", errors)
    if errors:
        raise errors[0]
    return None
