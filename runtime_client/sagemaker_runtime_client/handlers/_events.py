"""Calls the user's function for each event, and checks the options of the decorators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypedDict

from .._errors import ParamValidationError
from .._s3.objects import S3Location
from .._settings.setting import locations
from ..events import Completed, Event, Failed, Ignored, ObjectCreated, parse
from ._batch import (
    Invocation,
    MessageNotHandledError,
    check_options,
    event_records,
    is_fifo,
    report,
    resolve,
)
from ._claims import Claim, Claims, MemoryClaims

Result: TypeAlias = Completed | Failed | ObjectCreated
Function: TypeAlias = Callable[[Result], object]
IgnoredFunction: TypeAlias = Callable[[Ignored], object]

# Kinds of messages that AWS normally sends now and then, and that need no handling.
_EXPECTED = frozenset({"test", "confirmation", "unrelated"})


class HandlerOptions(TypedDict, total=False):
    """The keyword arguments of `sqs_handler`, `sns_handler` and `s3_handler`, which describe them."""

    claims: Claims | None
    trusted_sources: Sequence[str]
    allowed_locations: Sequence[str]
    on_ignored: IgnoredFunction | None
    reserve: float


class Options:
    """The checked options of a handler, with their defaults."""

    def __init__(
        self,
        claims: Claims | None = None,
        trusted_sources: Sequence[str] = (),
        allowed_locations: Sequence[str] = (),
        on_ignored: IgnoredFunction | None = None,
        reserve: float = 1.0,
    ) -> None:
        parse({}, trusted_sources=trusted_sources)  # raises ParamValidationError if it is malformed
        try:
            self.allowed_locations = locations(allowed_locations) if allowed_locations else ()
        except ValueError as error:
            raise ParamValidationError(
                f"allowed_locations {error}", argument="allowed_locations"
            ) from None
        check_options(claims, reserve, on_ignored=on_ignored)
        self.claims = MemoryClaims() if claims is None else claims
        self.trusted_sources = trusted_sources
        self.on_ignored = on_ignored
        self.reserve = reserve


class EventHandler:
    """Passes the events in each record to the user's function, one at a time.

    Args:
        function: The user's function.
        options: The options of the handler.
        source: The only event source that the handler accepts, such as ``aws:sqs``.
    """

    def __init__(self, function: Function, options: Options, source: str) -> None:
        self._function, self._options, self._source = function, options, source

    async def run(self, event: dict[str, Any], context: object) -> object:
        """Handle the records of a Lambda event, and return or raise the failures."""
        options = self._options
        records = event_records(event, self._source)
        events: list[list[Event]] = [[] for _ in records]
        for found in parse(event, trusted_sources=options.trusted_sources):
            events[found.record].append(found)
        invocation = Invocation(context, options.claims, options.reserve)
        await invocation.handle_each(
            events, partial(self._handle_record, invocation), in_order=is_fifo(records)
        )
        return report(self._source, records, invocation.failures)

    async def _handle_record(self, invocation: Invocation, events: Sequence[Event]) -> None:
        if not events:
            raise MessageNotHandledError("the event has too many records")
        for event in events:
            invocation.check_time()
            if isinstance(event, Ignored):
                await self._ignore(event)
            elif reason := self._why_untrusted(event):
                await self._ignore(_untrusted(event, reason))
            else:
                await invocation.once(event.idempotency_key, partial(self._call, event))

    async def _call(self, event: Result, _claim: Claim) -> None:
        await resolve(self._function(event))

    async def _ignore(self, event: Ignored) -> None:
        if event.kind in _EXPECTED:
            return
        if self._options.on_ignored is None:
            raise MessageNotHandledError(f"the message is {event.kind}: {event.reason}")
        await resolve(self._options.on_ignored(event))

    def _why_untrusted(self, event: Result) -> str | None:
        """Return why an event is untrusted, or None if it is trusted."""
        if self._options.trusted_sources and not event.trusted:
            return "its source is not one of trusted_sources"
        if not all(map(self._is_allowed, _locations(event))):
            return "its location is outside allowed_locations"
        return None

    def _is_allowed(self, location: str) -> bool:
        allowed = self._options.allowed_locations
        try:
            return not allowed or str(S3Location.parse(location)).startswith(allowed)
        except ParamValidationError:
            return False


def _untrusted(event: Result, reason: str) -> Ignored:
    return Ignored(
        "untrusted", reason, event.source, False, event.message_id, event.record, event.fields
    )


def _locations(event: Result) -> tuple[str, ...]:
    if isinstance(event, ObjectCreated):
        return event.locations
    found = (event.output_location, getattr(event, "failure_location", None))
    return tuple(location for location in found if location is not None)
