"""
The application: what happens to a request, step by step.

    fault: reset unread (see _server)
    1. note what is asked, and which faults befall it      fault: latency
    2. check the signature on the raw bytes                fault: a clock that is off
    3. refuse, or carry it out                             faults: refusals, wrong region, stale output
    4. record it, and answer                               fault: reset in place of the answer
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from secrets import token_bytes, token_hex
from typing import Protocol
from uuid import uuid4

from attrs import define, evolve, field, frozen
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sigv4 import SignableRequest

from ._authentication import authenticate, claimed_region, signable
from ._faults import Fault, Faults, Latency, Reset
from ._object_routes import ObjectRoutes
from ._objects import ObjectStore
from ._queue import InvocationQueue
from ._records import MOST_RECORDS, ReceivedRequest, redacted_headers, redacted_target
from ._reply import Refusal, RefusedError, Reply, as_json, as_xml, refused
from ._runtime import RuntimeRoutes
from ._settings import Settings
from ._target import Target, target_of


class Resettable(Protocol):
    """The connection below ASGI, as far as the application needs it."""

    def reset(self, partial_answer: bytes = b"") -> None:
        """Send the beginning of an answer, then reset the connection."""
        ...


@frozen
class _Arrival:
    """A request as it arrived, with its secrets."""

    method: str
    raw_target: str = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes = field(repr=False)
    target: Target


@define(eq=False)
class Application:
    """
    The ASGI application of an emulator.

    Attributes:
        settings: What it was told when it was made.
        store: Its objects.
        queue: Its invocations.
        faults: Its switches.
        now: The server's clock.
        received: The newest of what arrived, in the order of the answers.
        stopping: Is set when the server stops; whoever waits, stops waiting.
    """

    settings: Settings
    store: ObjectStore
    queue: InvocationQueue
    faults: Faults
    now: Callable[[], datetime]
    received: list[ReceivedRequest] = field(factory=list[ReceivedRequest])
    stopping: asyncio.Event = field(factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or reset its connection."""
        request = Request(scope, receive)
        query = request.scope["query_string"].decode("ascii")
        path = request.scope["raw_path"].decode("ascii")
        host = request.headers.get("host", "")
        target = target_of(request.method, path, query, host)
        faults = self.faults.take(target.operation)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        raw_target = f"{path}?{query}" if query else path
        arrival = _Arrival(request.method, raw_target, request.headers.raw, body, target)
        await self._wait(faults)
        reply = self._reply(arrival, faults)
        reset = next((fault for fault in faults if isinstance(fault, Reset)), None)
        self._record(arrival, reply, reset)
        response = Response(reply.body, reply.status, reply.headers)
        if reset is None:
            await response(scope, receive, send)
            return
        connection: Resettable = scope["state"]["connection"]
        has_body = request.method != "HEAD"
        connection.reset(partial_answer(response, reset, has_body=has_body))
        await receive()  # until uvicorn has seen the end too, and expects no answer

    async def _wait(self, faults: tuple[Fault, ...]) -> None:
        """Wait as long as the faults say, or until the server stops."""
        seconds = sum(fault.seconds for fault in faults if isinstance(fault, Latency))
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), seconds)

    def _reply(self, arrival: _Arrival, faults: tuple[Fault, ...]) -> Reply:
        """Return the whole answer, with the headers that every answer has."""
        identifiers = _identifiers(arrival.target)
        try:
            reply = self._carried_out(arrival, faults)
        except RefusedError as error:
            reply = _worded(error.refusal, arrival.target, identifiers)
        if arrival.target.service == "s3":
            names = {"RequestId": "x-amz-request-id", "HostId": "x-amz-id-2"}
        else:
            names = {"RequestId": "x-amzn-requestid"}
        always = {header: identifiers[name] for name, header in names.items()}
        date = {"date": format_datetime(self.now(), usegmt=True)}
        return evolve(reply, headers={**always, **date, **reply.headers})

    def _carried_out(self, arrival: _Arrival, faults: tuple[Fault, ...]) -> Reply:
        """Return what the service answers, once it knows who asks."""
        request = signable(arrival.method, arrival.raw_target, arrival.headers, arrival.body)
        body, trailers = self._authenticate(request, arrival)
        for fault in faults:
            if isinstance(fault, Refusal):
                raise RefusedError(fault)
        headers = _joined(arrival.headers) | trailers
        if arrival.target.service == "s3":
            objects = ObjectRoutes(self.settings, self.store, self.faults, self.now)
            return objects.answer(arrival.target, headers, body)
        runtime = RuntimeRoutes(self.settings, self.store, self.queue, self.faults, self.now)
        return runtime.answer(arrival.target, headers, body, faults)

    def _authenticate(
        self, request: SignableRequest, arrival: _Arrival
    ) -> tuple[bytes, dict[str, str]]:
        """
        Check the signature, and return the body and its trailers.

        A bucket that is elsewhere says so to whoever did not sign for there.
        """
        target = arrival.target
        elsewhere = self.faults.bucket_regions.get(target.bucket)
        region = self.settings.region
        if elsewhere is not None:
            region = claimed_region(request) or region
        content = authenticate(
            request,
            arrival.body,
            target,
            credentials=self.settings.credentials,
            region=region,
            at=self.now(),
        )
        if elsewhere is not None and region != elsewhere:
            raise refused(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.",
                {"x-amz-bucket-region": elsewhere},
                Endpoint=f"{target.bucket}.s3.{elsewhere}.amazonaws.com",
                Bucket=target.bucket,
                Region=elsewhere,
            )
        return content

    def _record(self, arrival: _Arrival, reply: Reply, reset: Reset | None) -> None:
        """Note what arrived and what became of it, without secrets."""
        outcome = reply.outcome if reset is None else f"reset {reset.when}"
        self._remember(
            ReceivedRequest(
                arrival.method,
                redacted_target(arrival.raw_target),
                redacted_headers(arrival.headers),
                arrival.target.operation,
                None if reset is not None else reply.status,
                outcome,
            )
        )

    def record_unread(self, method: str, target: str, operation: str) -> None:
        """Note a request of which only the head was looked at before the reset."""
        outcome = f"reset {Faults.RESET_BEFORE_READ.when}"
        self._remember(
            ReceivedRequest(method, redacted_target(target), (), operation, None, outcome)
        )

    def _remember(self, request: ReceivedRequest) -> None:
        """Add a record.  A list, unlike a deque, can be copied while another thread appends."""
        if len(self.received) == MOST_RECORDS:
            del self.received[0]
        self.received.append(request)


def server_clock(settings: Settings, faults: Faults) -> Callable[[], datetime]:
    """Return the server's clock: the one it was given, as far off as the switch says."""
    return lambda: settings.clock().astimezone(UTC) + timedelta(seconds=faults.clock_skew)


def partial_answer(response: Response, reset: Reset, *, has_body: bool) -> bytes:
    """Return as much of an answer as is sent before a reset."""
    if reset.when == "after_taken":
        return b""
    lines = [b"HTTP/1.1 %d " % response.status_code]
    lines += [b"%s: %s" % pair for pair in response.raw_headers]
    head = b"\r\n".join(lines)
    if reset.when == "in_head":
        return head[: len(head) // 2]
    body = bytes(response.body[: len(response.body) // 2]) if has_body else b""
    return head + b"\r\n\r\n" + body


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name, the values of one name joined as they were signed."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _identifiers(target: Target) -> dict[str, str]:
    """Return fresh request ids, by the names that S3's XML gives them."""
    if target.service == "s3":
        host_id = b64encode(token_bytes(48)).decode()
        return {"RequestId": token_hex(8).upper(), "HostId": host_id}
    return {"RequestId": str(uuid4())}


def _worded(refusal: Refusal, target: Target, identifiers: dict[str, str]) -> Reply:
    """Return a refusal in the words of the service that was asked."""
    return as_xml(refusal, identifiers) if target.service == "s3" else as_json(refusal)
