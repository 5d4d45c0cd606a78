"""The accepted invocations and their states."""

from datetime import datetime
from typing import Literal

from attrs import define, field, frozen

from .._models.values import ModelRequest
from .._settings import utc_now

State = Literal["queued", "running", "completed", "failed", "expired"]


@frozen(kw_only=True)
class Invocation:
    """An accepted invocation.

    Attributes:
        request: The input of the model.  If the input is an object in S3, the body is empty here.
        input_location: The location of the input; None for an inline body.
        output_location: The location of the output object.
        failure_location: The location of the failure object; None if there is no failure path.
        ttl: The maximum time in the queue, in seconds.
        timeout: The maximum time that the model may take, in seconds.
        is_routed: Whether an inference router accepted the invocation.
        destinations: The names of the endpoints that are tried, in this order.
        max_backlog: The maximum time in the queue of one destination, in seconds.
        router_name: The name of the inference router; None for an endpoint.
        received: When the invocation was accepted, by the server's clock.
    """

    request: ModelRequest
    input_location: str | None
    output_location: str
    failure_location: str | None
    ttl: float
    timeout: float
    is_routed: bool = False
    destinations: tuple[str, ...]
    max_backlog: float
    router_name: str | None = None
    received: datetime = field(factory=utc_now)


@define(eq=False)
class Job:
    """An invocation and its state.

    Attributes:
        invocation: The accepted invocation.
        state: ``queued``, ``running``, ``completed``, ``failed`` or ``expired``.
        destination: The name of the endpoint to which the job was last assigned.
    """

    invocation: Invocation
    state: State = "queued"
    destination: str = field(kw_only=True)
