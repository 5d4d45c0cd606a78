"""Faults that occur in production and can be injected into a running emulator."""

from collections.abc import Generator, Iterable
from threading import Lock
from typing import ClassVar

from attrs import frozen

from ._fault_types import (
    BrokenBody,
    BrokenStream,
    Delivery,
    EarlySuccess,
    Fault,
    MalformedResponse,
    NoContinue,
    Reset,
)
from ._reply import ErrorResponse
from ._target import OPERATIONS


@frozen
class ScheduledFault:
    """A fault, and the operations to which it applies; an empty set means all operations."""

    fault: Fault
    operations: frozenset[str]

    def applies_to(self, operation: str) -> bool:
        """Return whether the fault applies to a request for *operation*."""
        return not self.operations or operation in self.operations


def _check_operations(on: str | Iterable[str] | None) -> frozenset[str]:
    """Return the operations as a set, after checking their names."""
    operations = frozenset({on} if isinstance(on, str) else on or ())
    unknown = sorted(operations - OPERATIONS)
    if unknown:
        raise ValueError(
            f"unknown operations: {', '.join(unknown)}; the emulator supports "
            f"{', '.join(sorted(OPERATIONS))}"
        )
    return operations


class Faults:
    """The faults that an emulator injects.

    The faults may be changed from any thread.

    `once` queues a fault for the next requests, and `always` adds a permanent fault.  For each
    request, all permanent faults and the first queued fault for its operation are injected.

    >>> faults = Faults()
    >>> faults.once(Faults.THROTTLED, times=2, on="InvokeEndpointAsync")
    >>> faults.take("GetObject")
    ()
    >>> [fault.code for fault in faults.take("InvokeEndpointAsync")]
    ['ThrottlingException']

    Attributes:
        clock_skew: The number of seconds by which the server's clock is ahead; negative if it is
            behind.
        no_list_bucket: Whether the caller lacks ``s3:ListBucket``.  If so, S3 responds with 403
            AccessDenied to a request that reads a missing key, and to ListObjectsV2.
        no_failure_path: Whether the endpoints have no ``S3FailurePath``.  If so, the response
            contains no failure location, and no failure object is written.
        bucket_regions: The regions of buckets that are not in the emulator's region, keyed by
            bucket name.  If a request is signed for a region other than the bucket's, the response
            is 301 PermanentRedirect.
    """

    THROTTLED: ClassVar = ErrorResponse(400, "ThrottlingException", "Rate exceeded")
    THROTTLED_429: ClassVar = ErrorResponse(429, "ThrottlingException", "Rate exceeded")
    # HTTP 400 with {"message": null} and without a code was observed in
    # opensearch-project/ml-commons#2429.
    THROTTLED_NULL: ClassVar = ErrorResponse(400, "ThrottlingException", shows_code=False)
    MODEL_NOT_READY: ClassVar = ErrorResponse(
        429, "ModelNotReadyException", "The model is not ready to serve inference requests."
    )
    INTERNAL_FAILURE: ClassVar = ErrorResponse(500, "InternalFailure", "Internal failure")
    UNAVAILABLE: ClassVar = ErrorResponse(503, "ServiceUnavailable", "Service unavailable")
    SLOW_DOWN: ClassVar = ErrorResponse(503, "SlowDown", "Please reduce your request rate.")
    ACCESS_DENIED: ClassVar = ErrorResponse(403, "AccessDenied", "Access Denied")
    RESET_BEFORE_READ: ClassVar = Reset("before_read")
    RESET_AFTER_TAKEN: ClassVar = Reset("after_taken")
    RESET_IN_HEAD: ClassVar = Reset("in_head")
    RESET_IN_BODY: ClassVar = Reset("in_body")
    NO_LOCATIONS: ClassVar = MalformedResponse("no_locations")
    BROKEN_BODY: ClassVar = MalformedResponse("broken_body")
    STREAM_TRUNCATED: ClassVar = BrokenStream("truncated")
    STREAM_RESET: ClassVar = BrokenStream("reset")
    STREAM_CORRUPTED: ClassVar = BrokenStream("corrupt")
    STREAM_FAILED: ClassVar = BrokenStream("internal_failure")
    STREAM_ERROR: ClassVar = BrokenStream("error")
    RESET_WHILE_READ: ClassVar = Reset("while_read")
    FLIPPED_BIT: ClassVar = BrokenBody("flipped")
    ERROR_AFTER_200: ClassVar = EarlySuccess(
        error=ErrorResponse(
            500, "InternalError", "We encountered an internal error. Please try again."
        )
    )
    NO_CONTINUE: ClassVar = NoContinue()
    EXPECTATION_FAILED: ClassVar = ErrorResponse(
        417, "ExpectationFailed", "The server does not support this expectation."
    )
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    CONFLICT: ClassVar = ErrorResponse(
        409,
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this "
        "resource.",
    )
    LOST: ClassVar = Delivery(0)
    DUPLICATED: ClassVar = Delivery(2)

    def __init__(self) -> None:
        self._lock = Lock()
        self._queued: list[ScheduledFault] = []
        self._permanent: list[ScheduledFault] = []
        self._set_switches()

    def _set_switches(self) -> None:
        """Set every public attribute to its default."""
        self.clock_skew: float = 0.0
        self.no_list_bucket = False
        self.no_failure_path = False
        self.bucket_regions: dict[str, str] = {}

    def once(self, fault: Fault, *, times: int = 1, on: str | Iterable[str] | None = None) -> None:
        """Queue a fault for the next requests.

        Args:
            fault: A constant of this class, or a value such as ``Latency(0.5)``.
            times: The number of requests to which the fault applies.
            on: The operation or operations that the fault applies to, such as ``"GetObject"``; None
                for all operations.

        Raises:
            ValueError: The emulator does not support an operation in *on*.
        """
        scheduled = ScheduledFault(fault, _check_operations(on))
        with self._lock:
            self._queued += [scheduled] * times

    def always(self, fault: Fault, *, on: str | Iterable[str] | None = None) -> None:
        """Add a permanent fault, which applies until `clear` is called.

        Args:
            fault: As for `once`.
            on: As for `once`.

        Raises:
            ValueError: The emulator does not support an operation in *on*.
        """
        scheduled = ScheduledFault(fault, _check_operations(on))
        with self._lock:
            self._permanent.append(scheduled)

    def clear(self) -> None:
        """Remove all queued and permanent faults, and set the attributes to their defaults."""
        with self._lock:
            self._queued.clear()
            self._permanent.clear()
            self._set_switches()

    def take(self, operation: str) -> tuple[Fault, ...]:
        """Return all permanent faults and the next queued fault for a request that has been read.

        The queued fault is removed from the queue.  `RESET_BEFORE_READ` and `Delivery` are neither
        returned nor removed.

        Args:
            operation: The operation of the request.
        """
        with self._lock:
            faults = self._permanent_for(operation)
            queued = self._next_queued(operation)
            if queued is not None and queued.fault != self.RESET_BEFORE_READ:
                self._queued.remove(queued)
                faults.append(queued.fault)
            return tuple(fault for fault in faults if fault != self.RESET_BEFORE_READ)

    def take_delivery(self, operation: str) -> Delivery | None:
        """Return the fault for the next message: the next queued one, or a permanent one.

        The queued fault is removed from the queue.

        Args:
            operation: The operation that sends the message, such as ``Publish``.
        """
        with self._lock:
            for scheduled in [*self._queued, *self._permanent]:
                if isinstance(scheduled.fault, Delivery) and scheduled.applies_to(operation):
                    if scheduled in self._queued:
                        self._queued.remove(scheduled)
                    return scheduled.fault
        return None

    def take_before_read(self, operation: str) -> bool:
        """Return whether `RESET_BEFORE_READ` applies to a request.

        If it is the next queued fault for the operation, it is removed from the queue.

        Args:
            operation: The operation of the request.
        """
        with self._lock:
            queued = self._next_queued(operation)
            if queued is not None and queued.fault == self.RESET_BEFORE_READ:
                self._queued.remove(queued)
                return True
            return self.RESET_BEFORE_READ in self._permanent_for(operation)

    def _next_queued(self, operation: str) -> ScheduledFault | None:
        return next(self._for_requests(self._queued, operation), None)

    def _permanent_for(self, operation: str) -> list[Fault]:
        return [scheduled.fault for scheduled in self._for_requests(self._permanent, operation)]

    @staticmethod
    def _for_requests(scheduled: list[ScheduledFault], operation: str) -> Generator[ScheduledFault]:
        """Yield the faults that apply to requests for an operation."""
        for one in scheduled:
            if one.applies_to(operation) and not isinstance(one.fault, Delivery):
                yield one
