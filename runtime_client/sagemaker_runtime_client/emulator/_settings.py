"""The immutable settings of an emulator."""

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import field, frozen

from sigv4 import Credentials


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@frozen(kw_only=True)
class Settings:
    """The settings of an emulator.

    Attributes:
        credentials: The only valid credentials.
        region: The region that signatures must be scoped to.
        endpoints: The names of the endpoints that exist; None accepts every name.
        output_path: The endpoints' ``S3OutputPath``, an ``s3://`` location without a trailing
            slash.
        failure_path: The endpoints' ``S3FailurePath``, in the same form; None if they have none.
        strict_buckets: Whether a bucket must be created before it is used.
        clock: Returns the server's time, without the clock skew of `Faults`.
    """

    credentials: Credentials
    region: str
    endpoints: frozenset[str] | None
    output_path: str
    failure_path: str | None
    strict_buckets: bool
    clock: Callable[[], datetime] = field(repr=False)
