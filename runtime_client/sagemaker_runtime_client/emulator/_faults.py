"""What production does to people, as switches that can be thrown while the emulator runs."""

from collections.abc import Iterable
from threading import Lock
from typing import ClassVar, Literal

from attrs import frozen

from ._reply import Refusal
from ._target import OPERATIONS


@frozen
class Latency:
    """
    The request waits before anything is done about it.

    Attributes:
        seconds: How long.
    """

    seconds: float


@frozen
class Reset:
    """
    The connection is reset (TCP RST) in place of a whole answer.

    Attributes:
        when: ``before_read``: nothing of the request was looked at but its head;
            ``after_taken``: it was carried out, and an invocation is queued; ``in_head``: likewise,
            and half the answer's head was sent; ``in_body``: likewise, and half its body.
    """

    when: Literal["before_read", "after_taken", "in_head", "in_body"]


@frozen
class Garbled:
    """
    The invocation is taken, and the 202 says less than it should.

    Attributes:
        what: ``no_locations``: neither location is named; ``broken_body``: the JSON is cut short.
    """

    what: Literal["no_locations", "broken_body"]


@frozen
class StaleOutput:
    """
    An older object lies at the output location of the invocation when it is taken.

    It stays until the model's answer replaces it, as under a ``Filename`` that was used before.

    Attributes:
        body: What the object holds.
        age: How many seconds before the invocation it was last modified.
    """

    body: bytes = b"stale"
    age: float = 3600.0


Fault = Latency | Refusal | Reset | Garbled | StaleOutput


@frozen
class _Planned:
    """A fault, and the operations that it befalls."""

    fault: Fault
    operations: frozenset[str]

    def befalls(self, operation: str) -> bool:
        """Tell whether a request for *operation* gets it."""
        return not self.operations or operation in self.operations


def _known_operations(on: str | Iterable[str] | None) -> frozenset[str]:
    """Return the operations as a set, refusing what could never happen."""
    operations = frozenset({on} if isinstance(on, str) else on or ())
    unknown = sorted(operations - OPERATIONS)
    if unknown:
        raise ValueError(
            f"no operation is called {', '.join(unknown)}; there are {', '.join(sorted(OPERATIONS))}"
        )
    return operations


class Faults:
    """
    The switches.  They may be thrown from any thread.

    A fault is queued for the next requests with `once`, or stands with `always`.  A request takes
    the first queued fault that is meant for its operation, and every standing one.

    >>> faults = Faults()
    >>> faults.once(Faults.THROTTLED, times=2, on="InvokeEndpointAsync")
    >>> faults.take("GetObject")
    ()
    >>> [fault.code for fault in faults.take("InvokeEndpointAsync")]
    ['ThrottlingException']

    Attributes:
        clock_skew: How many seconds the server's clock is ahead; negative if it is behind.
        no_list_bucket: The caller lacks ``s3:ListBucket``: a missing key is 403 AccessDenied.
        no_failure_path: The endpoints have no ``S3FailurePath``: invocations taken from now on are
            told no failure location, and leave no failure object.
        bucket_regions: Regions by bucket, for buckets that are elsewhere: a request signed for
            another region is answered 301 PermanentRedirect.
    """

    THROTTLED: ClassVar = Refusal(400, "ThrottlingException", "Rate exceeded")
    THROTTLED_429: ClassVar = Refusal(429, "ThrottlingException", "Rate exceeded")
    # opensearch-project/ml-commons#2429: HTTP 400 with {"message": null}, and no code.
    THROTTLED_NULL: ClassVar = Refusal(400, "ThrottlingException", shows_code=False)
    INTERNAL_FAILURE: ClassVar = Refusal(500, "InternalFailure", "Internal failure")
    UNAVAILABLE: ClassVar = Refusal(503, "ServiceUnavailable", "Service unavailable")
    SLOW_DOWN: ClassVar = Refusal(503, "SlowDown", "Please reduce your request rate.")
    ACCESS_DENIED: ClassVar = Refusal(403, "AccessDenied", "Access Denied")
    RESET_BEFORE_READ: ClassVar = Reset("before_read")
    RESET_AFTER_TAKEN: ClassVar = Reset("after_taken")
    RESET_IN_HEAD: ClassVar = Reset("in_head")
    RESET_IN_BODY: ClassVar = Reset("in_body")
    NO_LOCATIONS: ClassVar = Garbled("no_locations")
    BROKEN_BODY: ClassVar = Garbled("broken_body")

    def __init__(self) -> None:
        self._lock = Lock()
        self._queued: list[_Planned] = []
        self._standing: list[_Planned] = []
        self._set_switches()

    def _set_switches(self) -> None:
        """Put every switch to where production has it on a good day."""
        self.clock_skew: float = 0.0
        self.no_list_bucket = False
        self.no_failure_path = False
        self.bucket_regions: dict[str, str] = {}

    def once(self, fault: Fault, *, times: int = 1, on: str | Iterable[str] | None = None) -> None:
        """
        Queue a fault for the next requests.

        Args:
            fault: One of the constants of this class, or a value such as ``Latency(0.5)``.
            times: How many requests get it.
            on: The operation or operations whose requests get it, such as ``"GetObject"``; None
                for any.

        Raises:
            ValueError: There is no such operation.
        """
        planned = _Planned(fault, _known_operations(on))
        with self._lock:
            self._queued += [planned] * times

    def always(self, fault: Fault, *, on: str | Iterable[str] | None = None) -> None:
        """Let a fault stand until `clear`, for requests of the operations *on*."""
        planned = _Planned(fault, _known_operations(on))
        with self._lock:
            self._standing.append(planned)

    def clear(self) -> None:
        """Take back everything: queued and standing faults, and the switches."""
        with self._lock:
            self._queued.clear()
            self._standing.clear()
            self._set_switches()

    def take(self, operation: str) -> tuple[Fault, ...]:
        """Return what befalls a request for *operation* that is read, the standing faults first."""
        with self._lock:
            faults = self._standing_for(operation)
            queued = self._next_queued(operation)
            if queued is not None and queued.fault != self.RESET_BEFORE_READ:
                self._queued.remove(queued)
                faults.append(queued.fault)
            return tuple(fault for fault in faults if fault != self.RESET_BEFORE_READ)

    def take_before_read(self, operation: str) -> bool:
        """Tell whether the request for *operation* is to be reset unread; if so, that is used up."""
        with self._lock:
            queued = self._next_queued(operation)
            if queued is not None and queued.fault == self.RESET_BEFORE_READ:
                self._queued.remove(queued)
                return True
            return self.RESET_BEFORE_READ in self._standing_for(operation)

    def _next_queued(self, operation: str) -> _Planned | None:
        """Return the first queued fault for *operation*."""
        return next((planned for planned in self._queued if planned.befalls(operation)), None)

    def _standing_for(self, operation: str) -> list[Fault]:
        """Return the standing faults for *operation*."""
        return [planned.fault for planned in self._standing if planned.befalls(operation)]
