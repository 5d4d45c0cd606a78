"""The names and types of the arguments of a client's constructor and of `with_options`."""

from collections.abc import Callable, Collection
from inspect import Parameter, Signature
from typing import Literal, TypedDict, TypeVar

from sigv4 import CredentialsLike

from .._io.httpx_bridge import HTTPClient
from .._io.tls import FilePath

ChecksumMode = Literal["when_supported", "when_required"]
Constructor = TypeVar("Constructor", bound=Callable[..., None])


class Settings(TypedDict, total=False):
    """The keyword arguments of a client's constructor, whose docstring describes each of them.

    Use this type to annotate a dictionary of settings, or ``**settings: Unpack[Settings]``.
    """

    region: str | None
    profile: str | None
    credentials: CredentialsLike | None
    endpoint_url: str | None
    router_endpoint_url: str | None
    s3_endpoint_url: str | None
    s3_addressing_style: Literal["auto", "path", "virtual"] | None
    use_fips_endpoint: bool | None
    use_dualstack_endpoint: bool | None
    retry_mode: Literal["standard", "adaptive", "legacy"] | None
    max_attempts: int | None
    retry_ambiguous: bool | None
    timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    max_connections: int | None
    ca_bundle: FilePath | None
    app_id: str | None
    request_checksum_calculation: ChecksumMode | None
    response_checksum_validation: ChecksumMode | None
    allowed_locations: list[str] | tuple[str, ...] | None
    expected_bucket_owner: str | None
    region_from_instance: bool | None
    http_client: HTTPClient | None


class ClientOptions(TypedDict, total=False):
    """The keyword arguments of a client's method `with_options`, whose docstring describes them.

    Use this type to annotate a dictionary of options, or ``**options: Unpack[ClientOptions]``.
    """

    max_attempts: int | None
    retry_ambiguous: bool | None
    timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    app_id: str | None
    request_checksum_calculation: ChecksumMode | None
    response_checksum_validation: ChecksumMode | None
    allowed_locations: list[str] | tuple[str, ...] | None
    expected_bucket_owner: str | None
    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    s3_output_path_extension: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None


# Maps each argument name of boto3 to what this package uses instead.
_KEYS = "credentials=sigv4.Credentials(...)"
_BOTO3_NAMES = {
    "aws_access_key_id": _KEYS,
    "aws_secret_access_key": _KEYS,
    "aws_session_token": _KEYS,
    "config": "retry_mode, max_attempts, read_timeout and other arguments",
    "max_pool_connections": "max_connections",
    "profile_name": "profile",
    "region_name": "region",
    "retries": "retry_mode and max_attempts",
    "total_max_attempts": "max_attempts",
    "user_agent_appid": "app_id",
    "verify": "ca_bundle",
}


def check_argument_names(
    client: str, positional: Collection[object], names: Collection[str]
) -> None:
    """Raise TypeError unless all arguments of a constructor are settings and passed by keyword.

    Args:
        client: The name of the client's class.
        positional: The positional arguments.
        names: The names of the keyword arguments.

    Raises:
        TypeError: An argument is positional or unknown.  If the name is one that boto3 uses, the
            message states what to use instead.
    """
    if positional:
        raise TypeError(f"{client} accepts keyword arguments only, such as region='eu-west-1'")
    if unknown := {*names} - Settings.__optional_keys__:
        raise _unexpected(client, unknown)


def check_option_names(client: str, names: Collection[str]) -> None:
    """Raise TypeError unless `with_options` accepts all arguments.

    Args:
        client: The name of the client's class.
        names: The names of the arguments.

    Raises:
        TypeError: An argument is unknown, or it is a setting that only the constructor accepts.
    """
    unknown = {*names} - ClientOptions.__optional_keys__
    if fixed := sorted(unknown & Settings.__optional_keys__):
        raise TypeError(
            f"{client}.with_options() cannot change {', '.join(fixed)}, because both clients share "
            f"connections, credentials and retry quotas: create a new {client} instead"
        )
    if unknown:
        raise _unexpected(f"{client}.with_options()", unknown)


def _unexpected(function: str, names: Collection[str]) -> TypeError:
    """Return the error for unknown arguments of *function*, with hints for boto3's names."""
    unknown = sorted(names)
    hints = [
        f"use {_BOTO3_NAMES[name]} instead of {name}" for name in unknown if name in _BOTO3_NAMES
    ]
    plural = "s" if len(unknown) > 1 else ""
    text = f"{function} got unexpected argument{plural} {', '.join(unknown)}"
    return TypeError("; ".join([text, *hints]))


def with_settings_signature(init: Constructor) -> Constructor:
    """Return *init* with a signature that lists each setting, for `help` and editors."""
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY)]
    for name, annotation in Settings.__annotations__.items():
        parameters.append(
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    vars(init)["__signature__"] = Signature(parameters, return_annotation=None)
    return init
