"""What a client is made with: the names and the types of its arguments."""

from collections.abc import Callable, Collection
from inspect import Parameter, Signature
from typing import Literal, TypedDict, TypeVar

from sigv4 import CredentialsLike

from .._io.httpx_bridge import HTTPClient
from .._io.tls import FilePath

ChecksumMode = Literal["when_supported", "when_required"]
Constructor = TypeVar("Constructor", bound=Callable[..., None])


class Settings(TypedDict, total=False):
    """A client's arguments, which its constructor describes and `Config` knows how to read."""

    region: str | None
    profile: str | None
    credentials: CredentialsLike | None
    endpoint_url: str | None
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
    region_from_instance: bool | None
    http_client: HTTPClient | None


# What boto3's names for settings are called here.
_KEYS = "credentials=sigv4.Credentials(...)"
_BOTO3_NAMES = {
    "aws_access_key_id": _KEYS,
    "aws_secret_access_key": _KEYS,
    "aws_session_token": _KEYS,
    "config": "arguments of their own, such as retry_mode, max_attempts and read_timeout",
    "max_pool_connections": "max_connections",
    "profile_name": "profile",
    "region_name": "region",
    "retries": "retry_mode and max_attempts",
    "total_max_attempts": "max_attempts",
    "user_agent_appid": "app_id",
    "verify": "ca_bundle",
}


def check_names(client: str, positional: Collection[object], names: Collection[str]) -> None:
    """
    Refuse arguments of a constructor that are no settings.

    Args:
        client: The name of the client's class.
        positional: The arguments without a name.
        names: The names of the others.

    Raises:
        TypeError: There are such; the message has the names of those that boto3 calls otherwise.
    """
    if positional:
        raise TypeError(f"{client} takes its settings by name, such as region='eu-west-1'")
    if unknown := sorted({*names} - Settings.__optional_keys__):
        hints = [f"{name} is {_BOTO3_NAMES[name]} here" for name in unknown if name in _BOTO3_NAMES]
        raise TypeError("; ".join([f"{client} has no argument {', '.join(unknown)}", *hints]))


def takes_settings(init: Constructor) -> Constructor:
    """Give a constructor the signature that spells out its settings for tools."""
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY)]
    for name, annotation in Settings.__annotations__.items():
        parameters.append(
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    vars(init)["__signature__"] = Signature(parameters, return_annotation=None)
    return init
