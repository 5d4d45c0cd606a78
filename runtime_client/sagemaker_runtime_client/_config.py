"""
Settings: from an argument, else from the environment, else the default.  One table, read once.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import field, fields, frozen

from ._endpoint import EndpointOptions
from ._errors import ConfigError
from ._retry import RetryPolicy
from ._transport import TransportOptions
from ._version import __version__

ADDRESSING_STYLES: Final = ("auto", "path", "virtual")
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
_LONGEST_APP_ID = 50
_USER_AGENT_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!$%&'*+-.^_`|~,"
)


def _boolean(text: str) -> bool:
    """Read ``true`` or ``false``, in any case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _count(text: str) -> int:
    """Read a whole number from 1."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
        raise ValueError("must be a whole number, 1 to 999")
    return int(text)


def _setting(default: Any, *variables: str, read: Callable[[str], Any] = str) -> Any:
    """Return a field that the first of *variables* with a value sets, where no argument does."""
    return field(default=default, kw_only=True, metadata={"variables": variables, "read": read})


@frozen
class Config:
    """
    What a client works with.

    Attributes:
        region: Such as ``eu-west-1``; None where there is none.
        endpoint_url: An endpoint of one's own for SageMaker Runtime.
        s3_endpoint_url: Likewise for S3.
        s3_addressing_style: ``auto``, ``path`` or ``virtual``.
        use_fips_endpoint: Whether to take endpoints with FIPS 140 cryptography.
        use_dualstack_endpoint: Whether to take endpoints that answer on IPv6 too.
        max_attempts: Requests a call, the first included.
        retry_ambiguous: Whether to send a job again that may have been taken.
        connect_timeout: Seconds to connect.
        read_timeout: Seconds between two pieces of an answer.
        max_connections: How many connections are open at once at the most.
        ca_bundle: Path of the certificates to trust.
        app_id: A name for the application, which the user agent tells AWS.
    """

    region: str | None = _setting(None, "AWS_REGION", "AWS_DEFAULT_REGION")
    endpoint_url: str | None = _setting(
        None, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_ENDPOINT_URL"
    )
    s3_endpoint_url: str | None = _setting(None, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    s3_addressing_style: str = _setting("auto")
    use_fips_endpoint: bool = _setting(False, "AWS_USE_FIPS_ENDPOINT", read=_boolean)
    use_dualstack_endpoint: bool = _setting(False, "AWS_USE_DUALSTACK_ENDPOINT", read=_boolean)
    max_attempts: int = _setting(3, "AWS_MAX_ATTEMPTS", read=_count)
    retry_ambiguous: bool = _setting(True)
    connect_timeout: float = _setting(10.0)
    read_timeout: float = _setting(60.0)
    max_connections: int = _setting(64)
    ca_bundle: str | None = _setting(None, "AWS_CA_BUNDLE")
    app_id: str | None = _setting(None, "AWS_SDK_UA_APP_ID")

    @classmethod
    def resolve(cls, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> "Config":
        """
        Return the settings that *arguments* and *environ* give together.

        Args:
            arguments: By setting; None leaves one to the environment.
            environ: The environment's variables; empty ones count as unset.

        Raises:
            ConfigError: A value is malformed; the message names the variable or the argument.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
            environ = {
                name: value
                for name, value in environ.items()
                if not name.startswith("AWS_ENDPOINT_URL")
            }
        for setting in fields(cls):
            if setting.name in given:
                continue
            for variable in setting.metadata["variables"]:
                if text := environ.get(variable):
                    try:
                        given[setting.name] = setting.metadata["read"](text)
                    except ValueError as error:
                        raise ConfigError(f"{variable} {error}") from None
                    break
        config = cls(**given)
        _check(config)
        return config

    def endpoint_options(self, url: str | None) -> EndpointOptions:
        """Return what an endpoint depends on, or raise ConfigError where no region is set."""
        if self.region is None:
            raise ConfigError("no region: give the client region=, or set AWS_REGION")
        return EndpointOptions(
            region=self.region,
            url=url,
            fips=self.use_fips_endpoint,
            dual_stack=self.use_dualstack_endpoint,
        )

    @property
    def transport_options(self) -> TransportOptions:
        """What a client of our own is opened with."""
        return TransportOptions(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_connections=self.max_connections,
            ca_bundle=self.ca_bundle,
        )

    @property
    def retry_policy(self) -> RetryPolicy:
        """How often a call is tried."""
        return RetryPolicy(max_attempts=self.max_attempts, retry_ambiguous=self.retry_ambiguous)


def _check(config: Config) -> None:
    """Refuse values that no setting can have."""
    if config.max_attempts < 1:
        raise ConfigError("max_attempts must be 1 or more")
    for name in ("connect_timeout", "read_timeout", "max_connections"):
        if not getattr(config, name) > 0:
            raise ConfigError(f"{name} must be more than 0")
    if config.s3_addressing_style not in ADDRESSING_STYLES:
        raise ConfigError(f"s3_addressing_style must be one of {', '.join(ADDRESSING_STYLES)}")
    if config.app_id is not None and len(config.app_id) > _LONGEST_APP_ID:
        raise ConfigError(f"app_id must have at most {_LONGEST_APP_ID} characters")


def user_agent(config: Config, environ: Mapping[str, str]) -> str:
    """
    Return what the client says of itself.

    Source: botocore 1.44, useragent.py: the same form, and the same characters.
    """
    parts = [
        f"sagemaker-runtime-client/{__version__}",
        "ua/2.1",
        f"os/{_clean(sys.platform)}",
        f"lang/python#{'.'.join(map(str, sys.version_info[:3]))}",
        f"md/pyimpl#{_clean(sys.implementation.name)}",
        "cfg/retry-mode#standard",
    ]
    if environment := environ.get("AWS_EXECUTION_ENV"):
        parts.append(f"exec-env/{_clean(environment)}")
    if config.app_id:
        parts.append(f"app/{_clean(config.app_id)}")
    return " ".join(parts)


def trace_headers(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """
    Return the header that lets Lambda see when a function calls itself without end.

    Source: botocore 1.44, handlers.py, add_recursion_detection_header.
    """
    trace_id = environ.get("_X_AMZN_TRACE_ID")
    if not trace_id or not environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return []
    from urllib.parse import quote

    return [("x-amzn-trace-id", quote(trace_id, safe="-=;:+&[]{}\"',"))]


def _clean(text: str) -> str:
    """Return *text* with a hyphen for each character that a user agent may not have."""
    return "".join(character if character in _USER_AGENT_CHARACTERS else "-" for character in text)
