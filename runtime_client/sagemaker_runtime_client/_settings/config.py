"""
Settings: from an argument, else a variable, else the profile, else the default.  One table.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html, and botocore
1.44, configprovider.py, for names, order and defaults.
"""

import logging
from collections.abc import Mapping
from math import inf
from typing import Any

from .._aws.endpoint import Endpoint, EndpointOptions, credentials_endpoint
from .._aws.retry import RetryPolicy
from .._errors import ConfigError
from .._io.message import TransportOptions
from .profiles import Profiles, Section
from .setting import Setting, Sources, boolean, field, one_of, seconds, whole_number

_log = logging.getLogger("sagemaker_runtime_client")

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
_LONGEST_APP_ID = 50


def _endpoint_url(service: str) -> Any:
    """Return the setting of a service's endpoint of one's own; *service* is its id, as in boto3."""
    own = f"AWS_ENDPOINT_URL_{service.upper()}"
    return field(
        None,
        own,
        "AWS_ENDPOINT_URL",
        key=f"services.{service}.endpoint_url endpoint_url",
        unless="ignore_configured_endpoint_urls",
    )


def _app_id(text: str) -> str:
    """Take a name for the application, of any length, as botocore does."""
    if len(text) > _LONGEST_APP_ID:
        _log.warning("the app id has more than %d characters, which AWS may cut", _LONGEST_APP_ID)
    return text


class Config:
    """
    What a client works with.

    A setting that no argument gives is looked up when it is first asked for.

    Attributes:
        profile: The name of the profile that the shared files are read for.
        region: Such as ``eu-west-1``; None where there is none.
        region_from_instance: Whether to ask the instance's metadata where nothing names a region.
        endpoint_url: An endpoint of one's own for SageMaker Runtime.
        s3_endpoint_url: Likewise for S3.
        sts_endpoint_url: Likewise for STS, which gives keys for roles.
        sso_endpoint_url: Likewise for IAM Identity Center.
        sso_oidc_endpoint_url: Likewise for its tokens.
        signin_endpoint_url: Likewise for the tokens of ``aws login``.
        rolesanywhere_endpoint_url: Likewise for IAM Roles Anywhere.
        ignore_configured_endpoint_urls: Whether to take endpoints of one's own from arguments alone.
        s3_addressing_style: ``auto``, ``path`` or ``virtual``.
        use_fips_endpoint: Whether to take endpoints with FIPS 140 cryptography.
        use_dualstack_endpoint: Whether to take endpoints that answer on IPv6 too.
        sts_regional_endpoints: ``regional``, or ``legacy`` for the one endpoint of older regions.
        retry_mode: ``standard``, or ``adaptive``, which also slows down after throttling.
        max_attempts: Requests a call, the first included.
        retry_ambiguous: Whether to send a job again that may have been taken.
        timeout: Seconds that a call may take in all, where it does not say so itself.
        connect_timeout: Seconds to connect.
        read_timeout: Seconds between two pieces of an answer, and for the whole of its head.
        max_connections: How many connections are open at once at the most.
        ca_bundle: Path of the certificates to trust.
        app_id: A name for the application, which the user agent tells AWS.
        request_checksum_calculation: ``when_supported`` or ``when_required``.
        response_checksum_validation: Likewise.
        metadata_service_timeout: Seconds that the instance's metadata service has for an answer.
        metadata_service_num_attempts: Requests to it, the first included.
        ec2_metadata_disabled: Whether to leave it alone.
        ec2_metadata_v1_disabled: Whether to do without, where it knows no session tokens.
        ec2_metadata_service_endpoint: Its address, if it is another one.
        ec2_metadata_service_endpoint_mode: ``ipv4`` or ``ipv6``; None leaves it to the next.
        imds_use_ipv6: The older way to say ``ipv6``.
    """

    profile: str = field("default", "AWS_DEFAULT_PROFILE", "AWS_PROFILE")
    region: str | None = field(None, "AWS_REGION", "AWS_DEFAULT_REGION", key="region")
    region_from_instance: bool = field(False, read=boolean)
    endpoint_url: str | None = _endpoint_url("sagemaker_runtime")
    s3_endpoint_url: str | None = _endpoint_url("s3")
    sts_endpoint_url: str | None = _endpoint_url("sts")
    sso_endpoint_url: str | None = _endpoint_url("sso")
    sso_oidc_endpoint_url: str | None = _endpoint_url("sso_oidc")
    signin_endpoint_url: str | None = _endpoint_url("signin")
    rolesanywhere_endpoint_url: str | None = _endpoint_url("rolesanywhere")
    ignore_configured_endpoint_urls: bool = field(
        False,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        key="ignore_configured_endpoint_urls",
        read=boolean,
    )
    s3_addressing_style: str = field(
        "auto", key="s3.addressing_style", read=one_of("auto", "path", "virtual")
    )
    use_fips_endpoint: bool = field(
        False, "AWS_USE_FIPS_ENDPOINT", key="use_fips_endpoint", read=boolean
    )
    use_dualstack_endpoint: bool = field(
        False, "AWS_USE_DUALSTACK_ENDPOINT", key="use_dualstack_endpoint", read=boolean
    )
    sts_regional_endpoints: str = field(
        "regional",
        "AWS_STS_REGIONAL_ENDPOINTS",
        key="sts_regional_endpoints",
        read=one_of("regional", "legacy"),
    )
    retry_mode: str = field(
        "standard",
        "AWS_RETRY_MODE",
        key="retry_mode",
        # What boto3 still calls legacy is something else than it was, and not worth a third way.
        read=one_of("standard", "adaptive", legacy="standard"),
    )
    max_attempts: int = field(3, "AWS_MAX_ATTEMPTS", key="max_attempts", read=whole_number)
    retry_ambiguous: bool = field(True, read=boolean)
    timeout: float = field(inf, read=seconds)
    connect_timeout: float = field(10.0, read=seconds)
    read_timeout: float = field(60.0, read=seconds)
    max_connections: int = field(64, read=whole_number)
    ca_bundle: str | None = field(None, "AWS_CA_BUNDLE", key="ca_bundle", last="REQUESTS_CA_BUNDLE")
    app_id: str | None = field(None, "AWS_SDK_UA_APP_ID", key="sdk_ua_app_id", read=_app_id)
    request_checksum_calculation: str = field(
        "when_supported",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        key="request_checksum_calculation",
        read=one_of("when_supported", "when_required"),
    )
    response_checksum_validation: str = field(
        "when_supported",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        key="response_checksum_validation",
        read=one_of("when_supported", "when_required"),
    )
    metadata_service_timeout: float = field(
        1.0, "AWS_METADATA_SERVICE_TIMEOUT", key="metadata_service_timeout", read=seconds
    )
    metadata_service_num_attempts: int = field(
        1,
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        key="metadata_service_num_attempts",
        read=whole_number,
    )
    ec2_metadata_disabled: bool = field(False, "AWS_EC2_METADATA_DISABLED", read=boolean)
    ec2_metadata_v1_disabled: bool = field(
        False, "AWS_EC2_METADATA_V1_DISABLED", key="ec2_metadata_v1_disabled", read=boolean
    )
    ec2_metadata_service_endpoint: str | None = field(
        None, "AWS_EC2_METADATA_SERVICE_ENDPOINT", key="ec2_metadata_service_endpoint"
    )
    ec2_metadata_service_endpoint_mode: str | None = field(
        None,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        key="ec2_metadata_service_endpoint_mode",
        read=one_of("ipv4", "ipv6"),
    )
    imds_use_ipv6: bool = field(False, "AWS_IMDS_USE_IPV6", key="imds_use_ipv6", read=boolean)

    def __init__(self, **values: Any) -> None:
        """Take the values of some settings by name; the others have their defaults."""
        if unknown := values.keys() - {setting.name for setting in SETTINGS}:
            raise TypeError(f"there is no setting {', '.join(unknown)}")
        self.sources = Sources({}, {})
        vars(self).update(values)

    def replace(self, **changes: Any) -> "Config":
        """Return the same settings but for *changes*."""
        config = Config(**changes)
        vars(config).update(vars(self) | changes)
        return config

    @classmethod
    def resolve(
        cls,
        arguments: Mapping[str, Any],
        environ: Mapping[str, str],
        profiles: Profiles = Profiles(),  # noqa: B008  (it cannot change)
    ) -> "Config":
        """
        Return the settings that *arguments*, *environ* and *profiles* give together.

        Args:
            arguments: By setting; None leaves one to the others.
            environ: The environment's variables; empty ones count as unset.
            profiles: What the shared files say.

        Raises:
            ConfigError: An argument is malformed, or there is no such profile.  A variable or a
                profile's key that is malformed raises it when the setting is asked for; the message
                names the argument, the variable or the key.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        config = cls(**{name: getattr(cls, name).argument(given[name]) for name in given})
        known = {name: environ[name] for name in _VARIABLES if name in environ}
        config.sources = Sources(known, {})
        is_named = "profile" in given or any(map(known.get, SETTINGS[0].variables))
        section = _section(profiles, config.profile, is_named=is_named)
        config.sources = Sources(known, section)
        return config

    def endpoint_options(self, url: str | None) -> EndpointOptions:
        """Return what an endpoint depends on, or raise ConfigError where no region is set."""
        if self.region is None:
            raise ConfigError(
                "no region: give the client region=, set AWS_REGION, or give the profile "
                f"{self.profile!r} a region"
            )
        return EndpointOptions(
            region=self.region,
            url=url,
            fips=self.use_fips_endpoint,
            dual_stack=self.use_dualstack_endpoint,
        )

    def endpoint(self, service: str, region: str | None = None) -> Endpoint:
        """
        Return the endpoint of a service that gives credentials.

        Args:
            service: ``rolesanywhere``, ``signin``, ``sso``, ``sso-oidc`` or ``sts``.
            region: Another region than the client's.
        """
        url: str | None = getattr(self, f"{service.replace('-', '_')}_endpoint_url")
        config = self if region is None else self.replace(region=region)
        return credentials_endpoint(
            service,
            config.endpoint_options(url),
            global_sts=self.sts_regional_endpoints == "legacy",
        )

    @property
    def metadata_endpoint(self) -> str:
        """Where the instance's metadata service is."""
        mode = self.ec2_metadata_service_endpoint_mode
        if self.ec2_metadata_service_endpoint is not None:
            return self.ec2_metadata_service_endpoint.rstrip("/")
        ipv6 = self.imds_use_ipv6 if mode is None else mode == "ipv6"
        return "http://[fd00:ec2::254]" if ipv6 else "http://169.254.169.254"

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
        return RetryPolicy(
            max_attempts=self.max_attempts,
            retry_ambiguous=self.retry_ambiguous,
            adaptive=self.retry_mode == "adaptive",
        )


SETTINGS = tuple(one for one in vars(Config).values() if isinstance(one, Setting))
_VARIABLES = [name for setting in SETTINGS for name in (*setting.variables, *setting.last)]


class _NoServices:
    """A ``services`` section that is not there: an error for whoever looks into it."""

    def __init__(self, profile: str, name: object) -> None:
        self._message = f"profile {profile!r} has services = {name}: there is no [services {name}]"

    def get(self, _name: str) -> None:
        """Refuse."""
        raise ConfigError(self._message)


def _section(profiles: Profiles, name: str, *, is_named: bool) -> Mapping[str, Any]:
    """Return a profile, with its ``services`` section in place of that one's name."""
    section: Section | None = profiles.profiles.get(name)
    if section is None:
        if not is_named:
            return {}
        raise ConfigError(
            f"there is no profile {name!r} in the config file nor in the credentials file"
        )
    if not (services := section.get("services")):
        return section
    found = profiles.services.get(services) if isinstance(services, str) else None
    return {**section, "services": _NoServices(name, services) if found is None else found}
