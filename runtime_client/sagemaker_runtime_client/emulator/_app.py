"""The emulator's ASGI application.

It processes each request in the following steps.  In each step, the faults on the right can be
injected:

    fault: reset before the request is read (see _server)
    1. parse the request's target, and select its faults   fault: latency
    2. check the signature of the raw bytes                fault: clock skew
    3. reject or execute the request                       faults: error response, wrong region,
                                                           stale output, malformed response,
                                                           broken stream, broken or slow body
    4. record the request, and respond                     fault: reset instead of the response

The body of a request to S3 may be large.  It is read and verified in step 3, after the head of the
request has been checked.  All other bodies are read in step 1.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from secrets import token_bytes, token_hex
from uuid import uuid4

from attrs import define, evolve, field, frozen
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sigv4 import Payload, SignableRequest

from ._authentication import (
    Authenticator,
    BodyVerifier,
    build_signable_request,
    declared_payload,
    parse_region,
)
from ._fault_types import EarlySuccess, Fault, Latency, NoContinue, Reset
from ._faults import Faults
from ._incoming import IncomingBody
from ._messaging.replies import as_error
from ._messaging.routes import NotificationRoutes, read_operation
from ._messaging.topics import Topics
from ._queue.queue import InvocationQueue
from ._records import MOST_RECORDS, ReceivedRequest, redacted_headers, redacted_target
from ._reply import ErrorResponse, RejectedRequestError, Reply, as_json, as_xml, rejection
from ._runtime import RuntimeRoutes
from ._s3.early_success import send_early
from ._s3.objects import ObjectStore
from ._s3.request import ObjectRequest, RequestBody
from ._s3.routes import ObjectRoutes
from ._sending import reset_connection, send_reply
from ._sessions import Sessions
from ._settings import Settings
from ._synchronous import SynchronousRoutes
from ._target import Target, parse_target


@frozen
class _RawRequest:
    """A request as it arrived, including its secrets."""

    method: str
    raw_target: str = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    incoming: IncomingBody
    target: Target


@define(eq=False)
class Application:
    """The ASGI application of an emulator.

    Attributes:
        settings: The settings of the emulator.
        store: The S3 objects.
        queue: The queue of accepted invocations.
        faults: The faults to inject.
        topics: The topics of SNS, and the queues of SQS.
        now: Returns the time of the server's clock.
        received: The records of the newest requests, in the order of the responses.
        stopping: An event that is set when the server stops, which ends the delays of requests and
            the waits for models.
        sessions: The sessions of stateful models.
    """

    settings: Settings
    store: ObjectStore
    queue: InvocationQueue
    faults: Faults
    topics: Topics
    now: Callable[[], datetime]
    received: list[ReceivedRequest] = field(factory=list[ReceivedRequest])
    stopping: asyncio.Event = field(factory=asyncio.Event)
    sessions: Sessions = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sessions = Sessions(self.now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or reset its connection."""
        request = Request(scope, receive)
        incoming = IncomingBody(request)
        query = request.scope["query_string"].decode("ascii")
        path = request.scope["raw_path"].decode("ascii")
        raw_target = f"{path}?{query}" if query else path
        target = parse_target(request.method, path, query, request.headers)
        with suppress(ClientDisconnect):
            if target.service != "s3":
                await incoming.read()
            if target.protocol == "query":
                target = read_operation(target, await incoming.read())
                if self.faults.take_before_read(target.operation):
                    self.record_unread(request.method, raw_target, target.operation)
                    await reset_connection(scope, receive)
                    return
            raw = _RawRequest(request.method, raw_target, request.headers.raw, incoming, target)
            await self._respond(raw, scope, receive, send)

    async def _respond(self, raw: _RawRequest, scope: Scope, receive: Receive, send: Send) -> None:
        """Execute a request, record it, and send the response or reset the connection."""
        faults = self.faults.take(raw.target.operation)
        if any(isinstance(fault, NoContinue) for fault in faults):
            scope["state"]["connection"].skip_continue()
        await self._wait(faults)
        reset = next((fault for fault in faults if isinstance(fault, Reset)), None)
        if reset is not None and reset.when == "while_read":
            await raw.incoming.begin()
            self._record(raw, Reply(200), reset)
            await reset_connection(scope, receive)
            return
        reply = await self._reply(raw, faults)
        self._record(raw, reply, reset)
        await send_reply(reply, reset, scope, receive, send)

    async def _wait(self, faults: tuple[Fault, ...]) -> None:
        """Wait for the total latency in *faults*, or until the server stops."""
        seconds = sum(fault.seconds for fault in faults if isinstance(fault, Latency))
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), seconds)

    async def _reply(self, raw: _RawRequest, faults: tuple[Fault, ...]) -> Reply:
        """Return the response to a request, including the headers that all responses have."""
        request_ids = _request_ids(raw.target)
        try:
            reply = await self._execute(raw, faults, request_ids["RequestId"])
        except RejectedRequestError as error:
            reply = _format_error(error.response, raw.target, request_ids)
            reply = evolve(reply, headers={**reply.headers, **await raw.incoming.discard()})
        for fault in faults:
            if isinstance(fault, EarlySuccess):
                reply = send_early(reply, fault)
        if raw.target.service == "s3":
            names = {"RequestId": "x-amz-request-id", "HostId": "x-amz-id-2"}
        else:
            names = {"RequestId": "x-amzn-requestid"}
        ids = {header: request_ids[name] for name, header in names.items()}
        date = {"date": format_datetime(self.now(), usegmt=True)}
        return evolve(reply, headers={**ids, **date, **reply.headers})

    async def _execute(self, raw: _RawRequest, faults: tuple[Fault, ...], request_id: str) -> Reply:
        """Authenticate and execute a request, and return the service's response."""
        if raw.target.service == "s3":
            payload = declared_payload(raw.headers)
        else:
            payload = Payload.of(await raw.incoming.read())
        request = build_signable_request(raw.method, raw.raw_target, raw.headers, payload)
        verifier = self._authenticate(request, raw.target)
        for fault in faults:
            if isinstance(fault, ErrorResponse):
                raise RejectedRequestError(fault)
        headers = _join_headers(raw.headers)
        if raw.target.service == "s3":
            body = RequestBody(raw.incoming.pieces(), verifier)
            for fault in faults:
                if isinstance(fault, EarlySuccess) and fault.error is not None:
                    await body.read()
                    raise RejectedRequestError(fault.error)
            objects = ObjectRoutes(self.settings, self.store, self.faults, self.now)
            return await objects.handle(ObjectRequest(raw.target, headers, body, faults))
        content = verifier.feed(await raw.incoming.read())
        headers |= verifier.finish()
        if raw.target.protocol:
            routes = NotificationRoutes(self.topics)
            return await routes.handle(raw.target, headers, content, request_id)
        synchronous = SynchronousRoutes(self.settings, self.queue, self.sessions, self.stopping)
        runtime = RuntimeRoutes(
            self.settings, self.store, self.queue, synchronous, self.faults, self.now
        )
        return await runtime.handle(raw.target, headers, content, faults)

    def _authenticate(self, request: SignableRequest, target: Target) -> BodyVerifier:
        """Check the signature, and return the verifier of the body.

        If the bucket is in another region, the request is redirected, unless it was signed for that
        region.
        """
        bucket_region = self.faults.bucket_regions.get(target.bucket)
        region = self.settings.region
        if bucket_region is not None:
            region = parse_region(request) or region
        verifier = Authenticator(
            request, target, self.settings.credentials, region, self.now()
        ).verify()
        if bucket_region is not None and region != bucket_region:
            raise rejection(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.",
                {"x-amz-bucket-region": bucket_region},
                Endpoint=f"{target.bucket}.s3.{bucket_region}.amazonaws.com",
                Bucket=target.bucket,
                Region=bucket_region,
            )
        return verifier

    def _record(self, raw: _RawRequest, reply: Reply, reset: Reset | None) -> None:
        """Record the request and its outcome, without secrets."""
        outcome = reply.outcome if reset is None else f"reset {reset.when}"
        self._add_record(
            ReceivedRequest(
                raw.method,
                redacted_target(raw.raw_target),
                redacted_headers(raw.headers),
                raw.target.operation,
                None if reset is not None else reply.status,
                outcome,
            )
        )

    def stop(self) -> None:
        """End the delays of requests, and the waits for models and messages."""
        self.stopping.set()
        self.topics.broker.close()

    def record_unread(self, method: str, target: str, operation: str) -> None:
        """Record a request whose connection is reset after only the head of the request was read."""
        outcome = f"reset {Faults.RESET_BEFORE_READ.when}"
        self._add_record(
            ReceivedRequest(method, redacted_target(target), (), operation, None, outcome)
        )

    def _add_record(self, request: ReceivedRequest) -> None:
        """Add a record, and drop the oldest one if there are too many.

        The records are kept in a list because, unlike a deque, a list can be copied while another
        thread appends to it.
        """
        if len(self.received) == MOST_RECORDS:
            del self.received[0]
        self.received.append(request)


def server_clock(settings: Settings, faults: Faults) -> Callable[[], datetime]:
    """Return the server's clock: the configured clock plus the current clock skew of *faults*."""
    return lambda: settings.clock().astimezone(UTC) + timedelta(seconds=faults.clock_skew)


def _join_headers(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers, keyed by name.

    The values of a repeated header are joined with commas, as for signing.
    """
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _request_ids(target: Target) -> dict[str, str]:
    """Return new request IDs, keyed by the names of their elements in S3's error XML."""
    if target.service == "s3":
        host_id = b64encode(token_bytes(48)).decode()
        return {"RequestId": token_hex(8).upper(), "HostId": host_id}
    return {"RequestId": str(uuid4())}


def _format_error(error: ErrorResponse, target: Target, request_ids: dict[str, str]) -> Reply:
    """Return an error response in the format of the service that *target* belongs to."""
    if target.protocol:
        return as_error(target, error, request_ids["RequestId"])
    return as_xml(error, request_ids) if target.service == "s3" else as_json(error)
