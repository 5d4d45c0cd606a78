"""Endpoints of AWS services by region and partition, with FIPS and dual-stack variants.

Source: partitions.json and the endpoint rule sets of botocore 1.44: sagemaker-runtime, s3, sts,
sso, sso-oidc, signin.
"""

import re
from string import ascii_letters, digits
from typing import NamedTuple

from .._errors import ConfigError

# For each partition id: the pattern of its regions, the DNS suffix, and the DNS suffix of
# dual-stack hosts.  The first pattern that matches a region applies.  A region that matches no
# pattern belongs to the partition ``aws``.
_PARTITIONS = {
    "aws": (r"(?:us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+", "amazonaws.com", "api.aws"),
    "aws-cn": (r"cn-\w+-\d+", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "aws-us-gov": (r"us-gov-\w+-\d+", "amazonaws.com", "api.aws"),
    "aws-eusc": (r"eusc-de-\w+-\d+", "amazonaws.eu", "api.amazonwebservices.eu"),
    "aws-iso": (r"us-iso-\w+-\d+", "c2s.ic.gov", "api.aws.ic.gov"),
    "aws-iso-b": (r"us-isob-\w+-\d+", "sc2s.sgov.gov", "api.aws.scloud"),
    "aws-iso-e": (r"eu-isoe-\w+-\d+", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "aws-iso-f": (r"us-isof-\w+-\d+", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
_MAX_LABEL_LENGTH = 63  # RFC 1035, section 2.3.4
# Botocore 1.44, handlers.py, VALID_BUCKET.
_BUCKET_CHARACTERS = ascii_letters + digits + ".-_"
_MAX_BUCKET_LENGTH = 255
# Patterns are compiled on demand, because few calls need all of them.
# _DNS_BUCKET matches a bucket name that fits into a host name that S3's TLS certificate covers.
_DNS_BUCKET = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_ADDRESS = r"\[|[\d.]+(?:[:/]|$)"

# Hosts, keyed by (FIPS, dual-stack): R is the region, S the DNS suffix, D the dual-stack suffix.
_SAGEMAKER_RUNTIME = {
    (False, False): "runtime.sagemaker.{R}.{S}",
    (False, True): "runtime.sagemaker.{R}.{D}",
    (True, False): "runtime.sagemaker-fips.{R}.{S}",
    (True, True): "runtime.sagemaker-fips.{R}.{D}",
}
_INFERENCE_ROUTER = {
    (False, False): "inferencerouter-runtime.sagemaker.{R}.{S}",
    (False, True): "inferencerouter-runtime.sagemaker.{R}.{D}",
    (True, False): "inferencerouter-runtime.sagemaker-fips.{R}.{S}",
    (True, True): "inferencerouter-runtime.sagemaker-fips.{R}.{D}",
}
_SAGEMAKER_RUNTIME_FIPS = {
    "aws": "runtime-fips.sagemaker.{R}.{S}",
    "aws-us-gov": "runtime.sagemaker.{R}.{S}",
}
# S3 uses the plain DNS suffix for dual-stack hosts, too.
_S3 = {
    (False, False): "s3.{R}.{S}",
    (False, True): "s3.dualstack.{R}.{S}",
    (True, False): "s3-fips.{R}.{S}",
    (True, True): "s3-fips.dualstack.{R}.{S}",
}
# Hosts of services that issue credentials: V is "-fips" or empty, R is the region, and S is the
# plain or the dual-stack suffix.
_HOSTS = {
    "rolesanywhere": "rolesanywhere{V}.{R}.{S}",
    "signin": "signin{V}.{R}.{S}",
    "sso": "portal.sso{V}.{R}.{S}",
    "sso-oidc": "oidc{V}.{R}.{S}",
    "sts": "sts{V}.{R}.{S}",
}
# Hosts that deviate from the forms in _HOSTS, keyed by service, region or partition, FIPS and
# dual-stack.
_SPECIAL_HOSTS = {
    ("signin", "aws", False, False): "{R}.signin.aws.amazon.com",
    ("signin", "aws-cn", False, False): "{R}.signin.amazonaws.cn",
    ("signin", "aws-eusc", False, False): "{R}.signin.amazonaws-eusc.eu",
    ("signin", "aws-iso", False, False): "{R}.signin.c2shome.ic.gov",
    ("signin", "aws-iso-b", False, False): "{R}.signin.sc2shome.sgov.gov",
    ("signin", "aws-iso-e", False, False): "{R}.signin.csphome.adc-e.uk",
    ("signin", "aws-iso-f", False, False): "{R}.signin.csphome.hci.ic.gov",
    ("signin", "aws-us-gov", False, False): "{R}.signin.amazonaws-us-gov.com",
    ("signin", "aws-us-gov", True, False): "{R}.signin-fips.amazonaws-us-gov.com",
    ("signin", "us-gov-west-1", True, False): "signin-fips.amazonaws-us-gov.com",
    ("sso", "aws-us-gov", True, False): "portal.sso.{R}.{S}",
    ("sso-oidc", "aws-us-gov", True, False): "oidc.{R}.{S}",
    ("sts", "aws-us-gov", True, False): "sts.{R}.{S}",
}
# Regions that use sts.amazonaws.com if sts_regional_endpoints is ``legacy``.
_SHARES_STS = (
    r"ap-northeast-1|ap-south-1|ap-southeast-[12]|ca-central-1|eu-central-1|eu-north-1"
    r"|eu-west-[123]|sa-east-1|us-(?:east|west)-[12]"
)


class Partition(NamedTuple):
    """A partition, which is a separate group of AWS regions: its id and its DNS suffixes."""

    id: str
    suffix: str
    dual_stack_suffix: str


class Endpoint(NamedTuple):
    """The address of a service, with the service and region names for signatures.

    Attributes:
        origin: The scheme and the host, optionally with a port and a path, without a trailing
            ``/``.
        service: The service name for signatures.
        region: The region name for signatures.
    """

    origin: str
    service: str
    region: str


def get_partition(region: str) -> Partition:
    """Return the partition of *region*; an unknown region is assigned to the partition ``aws``."""
    name = region.removesuffix("-global") if region.endswith("-global") else None
    if name not in _PARTITIONS:
        fitting = (
            name for name, (regions, *_) in _PARTITIONS.items() if re.fullmatch(regions, region)
        )
        name = next(fitting, "aws")
    _, suffix, dual_stack_suffix = _PARTITIONS[name]
    return Partition(name, suffix, dual_stack_suffix)


class Endpoints(NamedTuple):
    """The endpoints of AWS services in one region.

    If a custom endpoint is passed, the FIPS and dual-stack variants are ignored, as in botocore's
    clients.  Botocore's rule sets would reject this combination, but botocore's clients never pass
    both to the rule sets.

    Attributes:
        region: A region such as ``eu-west-1``.
        fips: Whether to use hosts that use FIPS 140 cryptography.
        dual_stack: Whether to use hosts that also support IPv6.
    """

    region: str
    fips: bool = False
    dual_stack: bool = False

    def sagemaker_runtime(self, url: str | None = None) -> Endpoint:
        """Return the SageMaker Runtime endpoint, or the custom endpoint *url* if it is not None."""
        if url is not None:
            return Endpoint(
                _custom_origin(self.region, url, "SageMaker Runtime"), "sagemaker", self.region
            )
        partition = get_partition(self.region)
        host = _SAGEMAKER_RUNTIME[self.fips, self.dual_stack]
        if self.fips and not self.dual_stack:
            host = _SAGEMAKER_RUNTIME_FIPS.get(partition.id, host)
        return Endpoint(f"https://{_fill(host, self.region, partition)}", "sagemaker", self.region)

    def inference_router(self, url: str | None = None) -> Endpoint:
        """Return the endpoint of SageMaker Inference Router Runtime, or the custom endpoint *url*."""
        if url is not None:
            origin = _custom_origin(self.region, url, "SageMaker Inference Router Runtime")
        else:
            host = _INFERENCE_ROUTER[self.fips, self.dual_stack]
            origin = f"https://{_fill(host, self.region, get_partition(self.region))}"
        return Endpoint(origin, "sagemaker", self.region)

    def credentials(
        self, service: str, url: str | None = None, *, global_sts: bool = False
    ) -> Endpoint:
        """Return the endpoint of a service that issues credentials.

        Args:
            service: ``rolesanywhere``, ``signin``, ``sso``, ``sso-oidc`` or ``sts``.
            url: A custom endpoint; None for the AWS endpoint.
            global_sts: Whether the older regions share the global STS endpoint, which was the
                default before 2025, unless a FIPS or dual-stack variant is requested.

        Raises:
            ConfigError: The region or *url* is malformed, or a FIPS or dual-stack variant of the
                global STS endpoint (region ``aws-global``) is requested.
        """
        is_global = service == "sts" and self.region == "aws-global"
        if url is not None:
            region = "us-east-1" if is_global else self.region
            return Endpoint(_custom_origin(self.region, url, service), service, region)
        partition = get_partition(self.region)
        variant = (self.fips, self.dual_stack)
        shared = global_sts and re.fullmatch(_SHARES_STS, self.region) and not any(variant)
        if is_global and any(variant):
            raise ConfigError(
                "the global STS endpoint (region aws-global) has no FIPS and no dual-stack variant: "
                "set a region, such as us-east-1"
            )
        if is_global or (service == "sts" and shared):
            return Endpoint("https://sts.amazonaws.com", "sts", "us-east-1")
        _check_region(self.region)
        host = _SPECIAL_HOSTS.get((service, partition.id, *variant), _HOSTS[service])
        host = _SPECIAL_HOSTS.get((service, self.region, *variant), host).format(
            V="-fips" if self.fips else "",
            R=self.region,
            S=partition.dual_stack_suffix if self.dual_stack else partition.suffix,
        )
        return Endpoint(f"https://{host}", service, self.region)

    def s3(
        self, bucket: str, url: str | None = None, addressing_style: str = "auto"
    ) -> tuple[Endpoint, str]:
        """Return the endpoint for *bucket*, and the part of the path before the key.

        Args:
            bucket: The bucket's name.
            url: A custom endpoint; None for the AWS endpoint.
            addressing_style: ``path`` puts the bucket into the path.  ``virtual`` puts it into the
                host name; for the AWS endpoint, a name that S3's certificate would not cover is put
                into the path nevertheless.  ``auto`` means ``path`` for a custom endpoint (as in
                botocore), and otherwise ``virtual``.

        Raises:
            ConfigError: The region or *url* is malformed, S3 has no FIPS endpoint in the partition,
                or the style is ``virtual`` and the host of *url* is an IP address.
        """
        region = "us-east-1" if self.region == "aws-global" else self.region
        if url is not None:
            origin, virtual = _custom_origin(self.region, url, "S3"), addressing_style == "virtual"
            if virtual and re.match(_ADDRESS, origin.partition("://")[2]):
                raise ConfigError(
                    f"the S3 endpoint URL {url!r} has an IP address as its host, so it cannot be used "
                    "with addressing style 'virtual': set the addressing style to 'path' or 'auto'"
                )
        else:
            partition = get_partition(self.region)
            if self.fips and partition.id == "aws-cn":
                raise ConfigError(
                    f"S3 has no FIPS endpoint in region {self.region} (partition aws-cn): turn off "
                    "use_fips_endpoint"
                )
            host = _S3[self.fips, self.dual_stack]
            origin = f"https://{_fill(host, region, partition)}"
            virtual = addressing_style != "path" and re.fullmatch(_DNS_BUCKET, bucket) is not None
        if virtual:
            return Endpoint(origin.replace("://", f"://{bucket}.", 1), "s3", region), "/"
        return Endpoint(origin, "s3", region), f"/{bucket}/"


def _check_region(region: str) -> None:
    """Raise ConfigError unless *region*, a part of host names and signatures, is a host label."""
    words = region.replace("-", "")
    is_label = words.isascii() and words.isalnum() and "-" not in {region[0], region[-1]}
    if not is_label or len(region) > _MAX_LABEL_LENGTH:
        raise ConfigError(
            f"region must be a host label of letters, digits and inner hyphens, such as eu-west-1, "
            f"not {region!r}"
        )


def _fill(host: str, region: str, partition: Partition) -> str:
    _check_region(region)
    return host.format(R=region, S=partition.suffix, D=partition.dual_stack_suffix)


def _custom_origin(region: str, url: str, service: str) -> str:
    """Return the origin in *url*, a custom endpoint for *service*, or raise ConfigError."""
    _check_region(region)
    url = url.rstrip("/")
    scheme, separator, rest = url.partition("://")
    host, _, path = rest.partition("/")
    is_host = (
        host.isascii() and host.split() == [host] and "@" not in host and _has_name_and_port(host)
    )
    is_path = path.isascii() and path.isprintable() and " " not in path
    if scheme.lower() not in {"http", "https"} or not is_host or not is_path or {*"?#"} & {*url}:
        shown = "" if {*"@?"} & {*url} else f", not {url!r}"  # such a URL may contain a password
        raise ConfigError(
            f"the endpoint URL for {service} must look like https://host:port, without a user name "
            f"and without a query{shown}"
        )
    return scheme.lower() + separator + rest


def _has_name_and_port(host: str) -> bool:
    """Return whether *host* is a single name or address, optionally followed by a valid port."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return True
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536
    return is_port and name != "" and (":" not in name or name.endswith("]"))


def is_bucket_name(text: str) -> bool:
    """Return whether *text* can be the name of a bucket."""
    return 0 < len(text) <= _MAX_BUCKET_LENGTH and not text.strip(_BUCKET_CHARACTERS)
