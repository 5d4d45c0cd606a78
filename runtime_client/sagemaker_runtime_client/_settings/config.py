"""The table of all settings.

The value of a setting comes from the first of these that has one: an argument, an environment
variable, the profile, and the default.  The only exception is a variable for `ca_bundle` that is
looked up after the profile.  The row of a setting lists its variables and profile keys.

Source of the names, the order and the defaults:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html and configprovider.py of
botocore 1.44.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import inf

from .._aws.endpoint import Endpoint, Endpoints
from .._aws.retry import RetryPolicy
from .._errors import ConfigError
from .profiles import NO_PROFILES, Profiles
from .setting import (
    NO_SOURCES,
    HasSources,
    Setting,
    SettingSources,
    account_id,
    boolean,
    locations,
    one_of,
    profile_section,
    seconds,
    whole_number,
)

_log = logging.getLogger("sagemaker_runtime_client")

# The maximum length of an application ID.  Source:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html.
_LONGEST_APP_ID = 50
_EVERYWHERE: tuple[str, ...] = ()  # the default of allowed_locations, which restricts nothing


def _endpoint_url(service: str) -> Setting[str | None]:
    """Return the setting for a custom endpoint; *service* is the key in a ``services`` section."""
    return Setting(
        None,
        str,
        f"AWS_ENDPOINT_URL_{service.upper()}",
        "AWS_ENDPOINT_URL",
        key=f"services.{service}.endpoint_url endpoint_url",
        unless="ignore_configured_endpoint_urls",
    )


def _app_id(text: str) -> str:
    """Return *text* unchanged; log a warning if it is too long, as botocore does."""
    if len(text) > _LONGEST_APP_ID:
        _log.warning("app_id is longer than %d characters; AWS may truncate it", _LONGEST_APP_ID)
    return text


class Config(HasSources):
    """The values of all settings.

    The value of a setting comes from an argument or, if none is passed, from the first source that
    has a value or, if there is no such source, from the default.  Each row of the table below lists
    the default, the parser, the environment variables and the profile keys.  `Settings` lists the
    settings that a client accepts as arguments.

    Args:
        arguments: The values of arguments, keyed by setting name.  None means that the sources
            determine the value.
        sources: Where the settings without an argument are looked up when they are first accessed.

    Attributes:
        given: The names of the settings that were passed as arguments.

    Raises:
        ConfigError: An argument is malformed.
    """

    profile = Setting("default", str, "AWS_DEFAULT_PROFILE", "AWS_PROFILE")
    region = Setting(None, str, "AWS_REGION", "AWS_DEFAULT_REGION", key="region")
    region_from_instance = Setting(False, boolean)

    # The custom endpoints of the three services whose operations a client provides, and of the
    # services that issue credentials.
    endpoint_url = _endpoint_url("sagemaker_runtime")
    router_endpoint_url = _endpoint_url("sagemaker_inference_router_runtime")
    s3_endpoint_url = _endpoint_url("s3")
    sts_endpoint_url = _endpoint_url("sts")
    sso_endpoint_url = _endpoint_url("sso")
    sso_oidc_endpoint_url = _endpoint_url("sso_oidc")
    signin_endpoint_url = _endpoint_url("signin")
    rolesanywhere_endpoint_url = _endpoint_url("rolesanywhere")
    ignore_configured_endpoint_urls = Setting(
        False,
        boolean,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        key="ignore_configured_endpoint_urls",
    )

    # These settings determine which AWS endpoints are used.
    s3_addressing_style = Setting(
        "auto", one_of("auto", "path", "virtual"), key="s3.addressing_style"
    )
    use_fips_endpoint = Setting(False, boolean, "AWS_USE_FIPS_ENDPOINT", key="use_fips_endpoint")
    use_dualstack_endpoint = Setting(
        False, boolean, "AWS_USE_DUALSTACK_ENDPOINT", key="use_dualstack_endpoint"
    )
    sts_regional_endpoints = Setting(
        "regional",
        one_of("regional", "legacy"),  # legacy: the older regions share one STS endpoint
        "AWS_STS_REGIONAL_ENDPOINTS",
        key="sts_regional_endpoints",
    )

    # Retries and time limits.
    retry_mode = Setting(
        "standard",
        # boto3's mode ``legacy`` is treated as ``standard``, because it has changed over time and
        # is not worth a separate implementation.
        one_of("standard", "adaptive", legacy="standard"),
        "AWS_RETRY_MODE",
        key="retry_mode",
    )
    max_attempts = Setting(3, whole_number, "AWS_MAX_ATTEMPTS", key="max_attempts")
    retry_ambiguous = Setting(True, boolean)
    timeout = Setting(inf, seconds)

    # Connections, and the application's name in requests.
    connect_timeout = Setting(10.0, seconds)
    read_timeout = Setting(60.0, seconds)
    max_connections = Setting(64, whole_number)
    ca_bundle = Setting(None, str, "AWS_CA_BUNDLE", key="ca_bundle", last="REQUESTS_CA_BUNDLE")
    app_id = Setting(None, _app_id, "AWS_SDK_UA_APP_ID", key="sdk_ua_app_id")

    # Checksums of S3 objects.
    request_checksum_calculation = Setting(
        "when_supported",
        one_of("when_supported", "when_required"),
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        key="request_checksum_calculation",
    )
    response_checksum_validation = Setting(
        "when_supported",
        one_of("when_supported", "when_required"),
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        key="response_checksum_validation",
    )

    # What may be read from S3.
    allowed_locations = Setting(_EVERYWHERE, locations)
    expected_bucket_owner = Setting(None, account_id)

    # The EC2 instance metadata service.
    metadata_service_timeout = Setting(
        1.0, seconds, "AWS_METADATA_SERVICE_TIMEOUT", key="metadata_service_timeout"
    )
    metadata_service_num_attempts = Setting(
        1,
        whole_number,
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        key="metadata_service_num_attempts",
    )
    ec2_metadata_disabled = Setting(False, boolean, "AWS_EC2_METADATA_DISABLED")
    ec2_metadata_v1_disabled = Setting(
        False, boolean, "AWS_EC2_METADATA_V1_DISABLED", key="ec2_metadata_v1_disabled"
    )
    ec2_metadata_service_endpoint = Setting(
        None, str, "AWS_EC2_METADATA_SERVICE_ENDPOINT", key="ec2_metadata_service_endpoint"
    )
    ec2_metadata_service_endpoint_mode = Setting(
        None,
        one_of("ipv4", "ipv6"),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        key="ec2_metadata_service_endpoint_mode",
    )
    imds_use_ipv6 = Setting(False, boolean, "AWS_IMDS_USE_IPV6", key="imds_use_ipv6")

    def __init__(
        self,
        arguments: Mapping[str, object] = {},
        sources: SettingSources = NO_SOURCES,
    ) -> None:
        self.sources = sources
        self.given = frozenset(name for name, value in arguments.items() if value is not None)
        for name, value in arguments.items():
            if value is not None:
                vars(self)[name] = SETTINGS[name].argument(value)

    def with_region(self, region: str | None) -> Config:
        """Return a copy of the settings in which the region is *region*."""
        return self._with(region=region)

    def with_changes(self, changes: "Config") -> "Config":
        """Return a copy in which the arguments of *changes* replace this object's values."""
        given = self.given | changes.given
        return self._with(**{**vars(changes), "sources": self.sources, "given": given})

    def _with(self, **changes: object) -> "Config":
        config = Config()
        vars(config).update(vars(self), **changes)
        return config

    @classmethod
    def resolve(
        cls,
        arguments: Mapping[str, object],
        environ: Mapping[str, str],
        profiles: Profiles = NO_PROFILES,
    ) -> Config:
        """Return the settings from arguments, environment variables and a profile.

        Args:
            arguments: The values of arguments, keyed by setting name.  None means that the other
                sources determine the value.
            environ: The environment variables.  An empty variable is treated as unset.
            profiles: The parsed shared files.

        Raises:
            ConfigError: An argument is malformed, or the explicitly chosen profile does not exist.
                If a variable or a profile key has a malformed value, this error is raised when the
                setting is first accessed, but a malformed boolean is treated as false.  The message
                mentions the argument, the profile, the variable or the key.
        """
        known = {name: environ[name] for name in _VARIABLES if name in environ}
        config = cls(arguments, SettingSources(known))
        is_explicit = arguments.get("profile") is not None or any(
            map(known.get, SETTINGS["profile"].variables)
        )
        section = profile_section(profiles, config.profile, is_explicit=is_explicit)
        config.sources = SettingSources(known, section, config.profile)
        return config

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints of the configured region; raises ConfigError if no region is configured."""
        if self.region is None:
            raise ConfigError(
                "no region is configured: pass region= to the client, set AWS_REGION, or set region "
                f"in profile {self.profile!r}"
            )
        return Endpoints(self.region, self.use_fips_endpoint, self.use_dualstack_endpoint)

    def endpoint(self, service: str, region: str | None = None) -> Endpoint:
        """Return the endpoint of a service that issues credentials.

        Args:
            service: ``rolesanywhere``, ``signin``, ``sso``, ``sso-oidc`` or ``sts``.
            region: The region of the endpoint; None uses the configured region.
        """
        url: str | None = getattr(self, f"{service.replace('-', '_')}_endpoint_url")
        config = self if region is None else self.with_region(region)
        is_global = self.sts_regional_endpoints == "legacy"
        return config.endpoints.credentials(service, url, global_sts=is_global)

    @property
    def metadata_endpoint(self) -> str:
        """The URL of the EC2 instance metadata service, without a path unless one is configured."""
        mode = self.ec2_metadata_service_endpoint_mode
        if self.ec2_metadata_service_endpoint is not None:
            return self.ec2_metadata_service_endpoint.rstrip("/")
        ipv6 = self.imds_use_ipv6 if mode is None else mode == "ipv6"
        return "http://[fd00:ec2::254]" if ipv6 else "http://169.254.169.254"

    @property
    def retry_policy(self) -> RetryPolicy:
        """The retry rules that `max_attempts`, `retry_ambiguous` and `retry_mode` specify."""
        return RetryPolicy(
            max_attempts=self.max_attempts,
            retry_ambiguous=self.retry_ambiguous,
            adaptive=self.retry_mode == "adaptive",
        )


SETTINGS: dict[str, Setting[object]] = {
    name: setting for name, setting in vars(Config).items() if isinstance(setting, Setting)
}
_VARIABLES = [name for row in SETTINGS.values() for name in (*row.variables, *row.last)]
