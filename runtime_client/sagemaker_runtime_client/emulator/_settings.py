"""What an emulator is told once, when it is made."""

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import field, frozen

from sigv4 import Credentials


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


@frozen(kw_only=True)
class Settings:
    """
    What holds as long as an emulator runs.

    Attributes:
        credentials: The one key that may sign.
        region: The region that signatures must be scoped to.
        endpoints: The names of the endpoints that exist; None if every name does.
        output_path: The endpoints' ``S3OutputPath``, an ``s3://`` address without a closing slash.
        failure_path: Their ``S3FailurePath``; None if they have none.
        strict_buckets: Whether a bucket must be created before it is used.
        clock: Tells the time that the server believes, but for its skew.
    """

    credentials: Credentials
    region: str
    endpoints: frozenset[str] | None
    output_path: str
    failure_path: str | None
    strict_buckets: bool
    clock: Callable[[], datetime] = field(repr=False)
