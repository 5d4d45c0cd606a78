"""How an invocation ended at an endpoint or at an inference router."""

from attrs import field, frozen

from .._models.values import ModelFailure
from .jobs import Invocation


@frozen(kw_only=True)
class Outcome:
    """The end of an invocation at an endpoint or at an inference router.

    Attributes:
        invocation: The invocation.
        endpoint_name: The name of the endpoint that processed the invocation, or that did not start
            it within its time limit.
        is_of_router: Whether this is the outcome at the inference router.
        content_type: The MIME type of the output; empty after a failure.
        body: The output, or the content of the failure object.
        failure: The failure; None after a success.
    """

    invocation: Invocation
    endpoint_name: str
    is_of_router: bool
    content_type: str = ""
    body: bytes = field(repr=False)
    failure: ModelFailure | None = None
