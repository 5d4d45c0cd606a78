"""InvokeEndpointAsync: from a request whose signature is right to the 202."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from attrs import frozen

from ._faults import Fault, Faults, Garbled, StaleOutput
from ._models import ModelRequest
from ._objects import ObjectStore
from ._queue import Invocation, InvocationQueue
from ._reply import Reply, refused
from ._settings import Settings
from ._target import UNKNOWN, Target
from ._validation import invalid, validate

# What holds where the caller says nothing (the service model's documentation of the two).
_DEFAULT_TTL = 21_600
_DEFAULT_TIMEOUT = 900
_ACCOUNT = "000000000000"


@frozen
class RuntimeRoutes:
    """
    SageMaker Runtime's side of the emulator.

    Attributes:
        settings: Which endpoints there are, and where they write.
        store: Where stale objects are laid.
        queue: Where invocations go.
        faults: Whether the endpoints have a failure path.
        now: The server's clock.
    """

    settings: Settings
    store: ObjectStore
    queue: InvocationQueue
    faults: Faults
    now: Callable[[], datetime]

    def answer(
        self, target: Target, headers: Mapping[str, str], body: bytes, faults: tuple[Fault, ...]
    ) -> Reply:
        """
        Take an invocation.

        Args:
            target: The endpoint.
            headers: All headers of the request.
            body: The inline payload; empty for none.
            faults: What befalls this request.

        Raises:
            RefusedError: The service would refuse it.
        """
        if target.operation == UNKNOWN:
            raise refused(404, "UnknownOperationException", "The emulator has no such operation.")
        members = validate(target.endpoint_name, headers, body)
        known = self.settings.endpoints
        if known is not None and target.endpoint_name not in known:
            raise invalid(f"Endpoint {target.endpoint_name} of account {_ACCOUNT} not found.")
        invocation = self._invocation(target.endpoint_name, members, body)
        for fault in faults:
            if isinstance(fault, StaleOutput):
                self._lay_stale(invocation.output_location, fault)
        self.queue.put(invocation)
        return _accepted(invocation, faults)

    def _invocation(
        self, endpoint_name: str, members: Mapping[str, str], body: bytes
    ) -> Invocation:
        """Return what is to be queued."""
        name = str(uuid4())  # not the inference id: in production it was not that either
        failure_path = None if self.faults.no_failure_path else self.settings.failure_path
        request = ModelRequest(
            body,
            members.get("contentType"),
            members.get("accept"),
            members.get("customAttributes"),
            endpoint_name,
            members.get("inferenceId") or str(uuid4()),
        )
        return Invocation(
            request=request,
            input_location=members.get("inputLocation"),
            output_location=_output_location(self.settings.output_path, members, name),
            # What Filename and S3OutputPathExtension do to it is not documented: nothing, here.
            failure_location=failure_path and f"{failure_path}/{name}-error.out",
            ttl=float(members.get("requestTTLSeconds", _DEFAULT_TTL)),
            timeout=float(members.get("invocationTimeoutSeconds", _DEFAULT_TIMEOUT)),
        )

    def _lay_stale(self, location: str, fault: StaleOutput) -> None:
        """Lay an old object where the answer will be."""
        written = self.now() - timedelta(seconds=fault.age)
        self.store.put(location, fault.body, last_modified=written)


def _output_location(output_path: str, members: Mapping[str, str], name: str) -> str:
    """Return where the answer will be: path, then the extension, then the file's name."""
    parts = [
        output_path,
        members.get("s3OutputPathExtension", "").strip("/"),
        members.get("filename", f"{name}.out"),
    ]
    return "/".join(part for part in parts if part)


def _accepted(invocation: Invocation, faults: tuple[Fault, ...]) -> Reply:
    """Return the 202, or what is left of it."""
    garbled = {fault.what for fault in faults if isinstance(fault, Garbled)}
    locations = {
        "x-amzn-sagemaker-outputlocation": invocation.output_location,
        "x-amzn-sagemaker-failurelocation": invocation.failure_location,
    }
    named = {name: value for name, value in locations.items() if value is not None}
    body = json.dumps({"InferenceId": invocation.request.inference_id}).encode()
    return Reply(
        202,
        {
            "content-type": "application/json",
            **({} if "no_locations" in garbled else named),
        },
        body[:-3] if "broken_body" in garbled else body,
    )
