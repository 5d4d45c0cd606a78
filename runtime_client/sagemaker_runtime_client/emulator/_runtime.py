"""Handles invocations of endpoints and inference routers whose signature has been verified."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import inf
from uuid import uuid4

from attrs import frozen

from ._fault_types import Fault, MalformedResponse, StaleOutput
from ._faults import Faults
from ._models.values import ModelRequest
from ._queue.jobs import Invocation
from ._queue.queue import InvocationQueue
from ._reply import Reply, rejection
from ._s3.objects import ObjectStore
from ._s3_operations import UNKNOWN
from ._settings import ACCOUNT, Settings
from ._synchronous import SynchronousRoutes
from ._target import Target
from ._validation import validate, validation_error

# The defaults for omitted headers, as documented in the service model.
_DEFAULT_TTL = 21_600
_DEFAULT_TIMEOUT = 900


@frozen
class RuntimeRoutes:
    """Handles requests to SageMaker Runtime and to SageMaker Inference Router Runtime.

    Attributes:
        settings: The settings, which contain the existing endpoints and their output paths.
        store: The S3 objects, to which stale outputs are written.
        queue: The queue of accepted invocations.
        synchronous: Runs the model for synchronous invocations.
        faults: The faults, which determine whether the endpoints have a failure path.
        now: Returns the time of the server's clock.
    """

    settings: Settings
    store: ObjectStore
    queue: InvocationQueue
    synchronous: SynchronousRoutes
    faults: Faults
    now: Callable[[], datetime]

    async def handle(
        self, target: Target, headers: Mapping[str, str], body: bytes, faults: tuple[Fault, ...]
    ) -> Reply:
        """Queue an invocation, or run the model immediately if the invocation is synchronous.

        Args:
            target: The target of the request: the endpoint or the inference router.
            headers: All headers of the request.
            body: The inline payload; empty if there is none.
            faults: The faults for this request.

        Raises:
            RejectedRequestError: The service would reject the request, the model of a synchronous
                invocation failed, or the emulator does not support the operation.
        """
        if target.operation == UNKNOWN:
            raise rejection(
                404, "UnknownOperationException", "The emulator does not support this operation."
            )
        members = validate(target, headers, body)
        known = self.settings.endpoints
        if known is not None and not target.is_routed and target.endpoint_name not in known:
            raise validation_error(
                f"Endpoint {target.endpoint_name} of account {ACCOUNT} not found.", target
            )
        destinations = self._destinations(target, members)
        request = ModelRequest(
            body,
            members.get("contentType"),
            members.get("accept"),
            members.get("customAttributes"),
            destinations[0],
            members.get("inferenceId") or str(uuid4()),
        )
        if not target.is_queued:
            return await self.synchronous.handle(target, members, request, destinations, faults)
        invocation = self._invocation(request, members, destinations, target)
        for fault in faults:
            if isinstance(fault, StaleOutput):
                self._put_stale_output(invocation.output_location, fault)
        self.queue.put(invocation)
        return _accepted_response(invocation, faults)

    def _destinations(self, target: Target, members: Mapping[str, str]) -> tuple[str, ...]:
        """Return the endpoints that may process a request, in the order in which they are tried."""
        if not target.is_routed:
            return (target.endpoint_name,)
        name = members["routingTargetName"]
        return self.settings.destinations.get(name, (name,))

    def _invocation(
        self,
        request: ModelRequest,
        members: Mapping[str, str],
        destinations: tuple[str, ...],
        target: Target,
    ) -> Invocation:
        """Build the invocation that is to be queued."""
        name = str(uuid4())  # as in production, the object name is not the inference ID
        failure_path = None if self.faults.no_failure_path else self.settings.failure_path
        return Invocation(
            request=request,
            input_location=members.get("inputLocation"),
            output_location=_output_location(self.settings.output_path, members, name),
            # In the emulator, Filename and S3OutputPathExtension do not affect the failure
            # location.  AWS does not document whether they affect it in production.
            failure_location=failure_path and f"{failure_path}/{name}-error.out",
            ttl=float(members.get("requestTTLSeconds", _DEFAULT_TTL)),
            timeout=float(members.get("invocationTimeoutSeconds", _DEFAULT_TIMEOUT)),
            is_routed=target.is_routed,
            destinations=destinations,
            max_backlog=self.settings.max_time_in_backlog if target.is_routed else inf,
            router_name=target.endpoint_name if target.is_routed else None,
            received=self.now(),
        )

    def _put_stale_output(self, location: str, fault: StaleOutput) -> None:
        """Write the object of a `StaleOutput` fault to the output location."""
        written = self.now() - timedelta(seconds=fault.age)
        self.store.put(location, fault.body, last_modified=written)


def _output_location(output_path: str, members: Mapping[str, str], name: str) -> str:
    """Return the output location, joined from the output path, its extension and the file name."""
    parts = [
        output_path,
        members.get("s3OutputPathExtension", "").strip("/"),
        members.get("filename", f"{name}.out"),
    ]
    return "/".join(part for part in parts if part)


def _accepted_response(invocation: Invocation, faults: tuple[Fault, ...]) -> Reply:
    """Return the 202 response, with the defects of each `MalformedResponse` in *faults*."""
    defects = {fault.what for fault in faults if isinstance(fault, MalformedResponse)}
    locations = {
        "x-amzn-sagemaker-outputlocation": invocation.output_location,
        "x-amzn-sagemaker-failurelocation": invocation.failure_location,
    }
    locations_present = {name: value for name, value in locations.items() if value is not None}
    body = json.dumps({"InferenceId": invocation.request.inference_id}).encode()
    return Reply(
        202,
        {
            "content-type": "application/json",
            **({} if "no_locations" in defects else locations_present),
        },
        body[:-3] if "broken_body" in defects else body,
    )
