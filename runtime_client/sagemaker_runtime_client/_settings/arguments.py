"""What a client is made with: its settings by name, with their types and their descriptions."""

from collections.abc import Callable, Collection
from inspect import Parameter, Signature
from typing import Literal, TypedDict, TypeVar

from sigv4 import CredentialsSource

from .._io.tls import FilePath
from .._io.transport import HTTPClient

ChecksumMode = Literal["when_supported", "when_required"]
Constructor = TypeVar("Constructor", bound=Callable[..., None])


class Settings(TypedDict, total=False):
    """
    Take the settings; nothing is read, opened or sent before the first call.

    Where an argument is None, variables decide, then the profile in ``~/.aws/config``, then
    the default.

    Args:
        region: Such as ``eu-west-1``; ``AWS_REGION``, then ``AWS_DEFAULT_REGION``, then the
            profile's.
        profile: The profile of ``~/.aws/config`` and ``~/.aws/credentials``; ``AWS_DEFAULT_PROFILE``,
            ``AWS_PROFILE``, then ``default``.  One that is given here wins over keys in variables.
        credentials: The credentials, a `CredentialsProvider`, or a function that returns
            credentials (an async client takes an async one too, and calls a plain one in a
            thread, once at a time); by default those that boto3 and the AWS CLI would find, see
            `default_chain`, refreshed before they end.
        endpoint_url: An endpoint of your own for SageMaker Runtime;
            ``AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME``, then ``AWS_ENDPOINT_URL``.
        s3_endpoint_url: Likewise for S3; ``AWS_ENDPOINT_URL_S3``, then ``AWS_ENDPOINT_URL``.
        s3_addressing_style: ``virtual`` (bucket in the host), ``path``, or ``auto``, which takes
            the host unless an endpoint URL or the bucket's name speaks against it.
        use_fips_endpoint: Take endpoints with FIPS 140 cryptography; ``AWS_USE_FIPS_ENDPOINT``.
        use_dualstack_endpoint: Take endpoints that answer on IPv6 too;
            ``AWS_USE_DUALSTACK_ENDPOINT``.
        retry_mode: ``standard``, or ``adaptive``, which sends more slowly once AWS throttles;
            ``AWS_RETRY_MODE``.
        max_attempts: Requests a call, the first included; ``AWS_MAX_ATTEMPTS``, then 3.
        retry_ambiguous: Whether `invoke_endpoint_async` is tried again after an attempt that may
            have been taken; True.  False raises instead, and the job may be queued or not.
        timeout: Seconds that a call may take in all, from its start, where it is given no
            ``timeout`` of its own; no limit.  It includes the wait for a free connection,
            credentials, the upload, and all attempts with their pauses.
        connect_timeout: Seconds to connect; 10.
        read_timeout: Seconds between two pieces of what is sent or received, and for the whole
            head of an answer; 60.
        max_connections: How many connections are open at once at the most; 64.
        ca_bundle: Path of the certificates to trust; ``AWS_CA_BUNDLE``, then the profile's, then
            ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``.
        app_id: A name for your application in the user agent; ``AWS_SDK_UA_APP_ID``.
        request_checksum_calculation: ``when_supported`` sends the CRC32 of what is put into S3,
            ``when_required`` leaves it out; ``AWS_REQUEST_CHECKSUM_CALCULATION``.
        response_checksum_validation: ``when_supported`` checks what is got from S3 by the checksum
            that S3 has of it, ``when_required`` does not; ``AWS_RESPONSE_CHECKSUM_VALIDATION``.
        region_from_instance: Where nothing names a region, ask the metadata of the EC2 instance.
        http_client: A client of httpx or httpx2 to send with.  It stays yours: it is not closed,
            and its own auth, headers, cookies and redirects are not used.  The timeouts above
            hold, and its pool, TLS and proxies do.

    Raises:
        ConfigError: *http_client* is not a client of the right kind, or *credentials* are not
            credentials.  A malformed setting raises it at the first call.
    """

    region: str | None
    profile: str | None
    credentials: CredentialsSource | None
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
    """Give a constructor the signature and the description that spell out its settings for tools."""
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY)]
    for name, annotation in Settings.__annotations__.items():
        parameters.append(
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    vars(init)["__signature__"] = Signature(parameters, return_annotation=None)
    init.__doc__ = Settings.__doc__
    return init
