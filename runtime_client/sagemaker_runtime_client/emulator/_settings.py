"""The immutable settings of an emulator."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import choice, token_urlsafe
from string import ascii_uppercase, digits

from attrs import field, frozen

from sigv4 import Credentials

ACCOUNT = "000000000000"  # the ID of the AWS account to which all buckets and ARNs belong
# The maximum payload of an event-stream message, in bytes.
# https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
MAX_PART_SIZE = 24 * 1024 * 1024


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
        destinations: The names of the endpoints that an inference router tries, keyed by routing
            target.
        max_time_in_backlog: The maximum time in the queue of one destination, in seconds.
        part_size: The maximum size of a part of a response stream, in bytes.
        strict_buckets: Whether a bucket must be created before it is used.
        require_kms: Whether an upload without encryption by KMS is rejected.
        clock: Returns the server's time, without the clock skew of `Faults`.
    """

    credentials: Credentials
    region: str
    endpoints: frozenset[str] | None
    output_path: str
    failure_path: str | None
    destinations: Mapping[str, tuple[str, ...]]
    max_time_in_backlog: float
    part_size: int
    strict_buckets: bool
    require_kms: bool
    clock: Callable[[], datetime] = field(repr=False)


def random_credentials() -> Credentials:
    """Return random credentials that have the form of AWS credentials but are not valid at AWS."""
    access_key_id = "AKIA" + "".join(choice(ascii_uppercase + digits) for _ in range(16))
    return Credentials(access_key_id, token_urlsafe(30))


def check_s3_path(name: str, path: str) -> str:
    """Check an ``s3://`` path, and return it without trailing slashes."""
    bucket = path.removeprefix("s3://").partition("/")[0]
    if not path.startswith("s3://") or not bucket or not path.isascii() or not path.isprintable():
        raise ValueError(f"{name} must be like s3://bucket/prefix, not {path!r}")
    return path.rstrip("/")


def check_count(name: str, number: int) -> int:
    """Return *number*, after checking that it is not negative."""
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, not {number}")
    return number


def check_part_size(size: int) -> int:
    """Return the size of a part, after checking that an event can hold it."""
    if not 1 <= size <= MAX_PART_SIZE:
        raise ValueError(f"part_size must be from 1 to {MAX_PART_SIZE} bytes, not {size}")
    return size


def check_destinations(destinations: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return a copy of the destinations, after checking that each target has at least one."""
    for name, endpoints in destinations.items():
        if not endpoints or isinstance(endpoints, str):
            raise ValueError(f"destinations must map {name!r} to a list of one or more endpoints")
    return {name: tuple(endpoints) for name, endpoints in destinations.items()}
