"""Tests of the services' endpoints.

They are compared with botocore's rule sets and, for S3, with the URLs that botocore requests.
"""

import re
from functools import cache
from itertools import product

import pytest
from botocore.config import Config as TheirConfig
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._aws.endpoint import (
    Endpoint,
    Endpoints,
    get_partition,
)
from sagemaker_runtime_client._settings.config import Config

REGIONS = {
    "us-east-1": "aws",
    "eu-west-1": "aws",
    "ca-west-1": "aws",
    "mx-central-1": "aws",
    "mars-1": "aws",
    "cn-north-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-gov-east-1": "aws-us-gov",
    "eusc-de-east-1": "aws-eusc",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
}
VARIANTS = list(product([False, True], repeat=2))
SESSION = Session()
PARTITIONS = SESSION.get_component("data_loader").load_data("partitions")["partitions"]
KNOWN_REGIONS = {region for partition in PARTITIONS for region in partition["regions"]}


@cache
def rules(service):
    """Return an evaluator of botocore's rule set for a service."""
    loader = SESSION.get_component("data_loader")
    rule_set = loader.load_service_model(service, "endpoint-rule-set-1")
    return EndpointProvider(rule_set, loader.load_data("partitions"))


@cache
def client(*, region, fips, dual_stack, style, url):
    """Return a botocore client for S3 that has the given settings, and whose requests are passed to
    `catch` instead of being sent.
    """
    config = TheirConfig(
        use_fips_endpoint=fips,
        use_dualstack_endpoint=dual_stack,
        s3={"addressing_style": style},
    )
    made = SESSION.create_client(
        "s3",
        region_name=region,
        endpoint_url=url,
        config=config,
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
    )
    made.meta.events.register("before-send", catch)
    return made


class CaughtError(Exception):
    """Raised instead of sending a botocore request; contains the URL of the request."""


def catch(request, **_):
    """Raise a `CaughtError` with the URL of a request."""
    raise CaughtError(request.url)


def botocore_url(bucket, region="eu-west-1", *, fips=False, dual_stack=False, style=None, url=None):
    """Return the URL that botocore requests for an object, or None if botocore raises an error."""
    kind = client(region=region, fips=fips, dual_stack=dual_stack, style=style, url=url)
    try:
        kind.get_object(Bucket=bucket, Key="key")
    except BotoCoreError:
        return None
    except CaughtError as caught:
        return caught.args[0]
    raise AssertionError("the request was not caught")


@pytest.mark.parametrize(("region", "partition"), REGIONS.items())
def test_partitions(region, partition):
    """`get_partition` returns a region's partition, which is `aws` if the region is unknown."""
    assert get_partition(region).id == partition


def test_all_partitions():
    """The table `REGIONS` covers all eight partitions that botocore knows, and for each region of
    these, `get_partition` returns the partition.
    """
    assert set(SESSION.get_available_partitions()) <= set(REGIONS.values())
    assert {partition["id"] for partition in PARTITIONS} == set(REGIONS.values())
    assert len(set(REGIONS.values())) == 8
    for partition in PARTITIONS:
        for region in partition["regions"]:
            assert get_partition(region).id == partition["id"]


@pytest.mark.parametrize("partition", sorted(set(REGIONS.values())))
def test_pseudo_regions(partition):
    """The `-global` pseudo-region of a partition belongs to that partition."""
    assert get_partition(f"{partition}-global").id == partition


@pytest.mark.parametrize(("fips", "dual_stack"), VARIANTS)
@pytest.mark.parametrize(
    ("service", "resolve"),
    [
        ("sagemaker-runtime", Endpoints.sagemaker_runtime),
        ("sagemaker-inference-router-runtime", Endpoints.inference_router),
    ],
)
def test_sagemaker(service, resolve, fips, dual_stack):
    """In each region that botocore knows, and in unknown ones, the endpoint of each service is the
    same as in botocore, and requests are signed for `sagemaker` in the client's region.
    """
    for region in KNOWN_REGIONS | REGIONS.keys():
        expected = rules(service).resolve_endpoint(
            Region=region, UseFIPS=fips, UseDualStack=dual_stack
        )
        endpoint = resolve(Endpoints(region, fips, dual_stack))
        assert endpoint == Endpoint(expected.url, "sagemaker", region)


def test_custom_url_of_inference_routers():
    """A custom URL of inference routers is used without its trailing slash, and the error for an
    invalid URL mentions the service.
    """
    endpoint = Endpoints("eu-west-1").inference_router("https://example.com/a/")
    assert endpoint == Endpoint("https://example.com/a", "sagemaker", "eu-west-1")
    with pytest.raises(ConfigError, match="for SageMaker Inference Router Runtime must look like"):
        Endpoints("eu-west-1").inference_router("example.com")


BUCKETS = [
    "bucket",
    "my-bucket-1",
    "abc",
    "a" * 63,
    "dotted.bucket",
    "Upper",
    "under_score",
    "bucket-s3alias",
]


def client_url(endpoints, bucket, style=None, url=None):
    """Return the URL that this client requests for an object, or None if the client raises a
    ConfigError.
    """
    try:
        endpoint, before = endpoints.s3(bucket, url, style or "auto")
    except ConfigError:
        return None
    return f"{endpoint.origin}{before}key"


# botocore's clients also use older tables, which contain no dual-stack hosts for the partitions of
# these regions.
NO_DUAL_STACK = {"eu-isoe-west-1", "us-isof-south-1"}


@pytest.mark.parametrize("style", [None, "path", "virtual"])
@pytest.mark.parametrize(
    ("region", "fips", "dual_stack"),
    [
        (region, fips, dual_stack)
        for region, (fips, dual_stack) in product(REGIONS, VARIANTS)
        if not (dual_stack and region in NO_DUAL_STACK)
    ],
)
def test_s3(region, fips, dual_stack, style):
    """The URL of an S3 object is the same as in botocore, except that this client uses a regional
    host for us-east-1.
    """
    endpoints = Endpoints(region, fips, dual_stack)
    for bucket in BUCKETS:
        expected = botocore_url(bucket, region, fips=fips, dual_stack=dual_stack, style=style)
        if region == "us-east-1":
            expected = expected.replace("s3.amazonaws.com", "s3.us-east-1.amazonaws.com")
        assert client_url(endpoints, bucket, style) == expected


def test_s3_has_no_fips_in_china():
    """A FIPS endpoint for S3 in China is rejected, as in botocore."""
    assert botocore_url("bucket", "cn-north-1", fips=True) is None
    with pytest.raises(ConfigError, match="S3 has no FIPS endpoint"):
        Endpoints("cn-north-1", fips=True).s3("bucket")


def test_s3_is_signed_for_its_region():
    """Requests to S3 are signed for `s3` in the endpoint's region."""
    endpoint, _ = Endpoints("eu-west-1").s3("bucket")
    assert endpoint == Endpoint("https://bucket.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1")


def test_s3_global():
    """For the pseudo-region aws-global, requests to S3 use the host of us-east-1, whereas botocore
    uses the global host.
    """
    assert (
        client_url(Endpoints("aws-global"), "bucket")
        == "https://bucket.s3.us-east-1.amazonaws.com/key"
    )
    for url in (None, "http://localhost:9000"):
        endpoint, _ = Endpoints("aws-global").s3("bucket", url)
        assert endpoint.region == "us-east-1"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9000",
        "https://s3.example.com",
        "https://example.com/base/path",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
    ],
)
@pytest.mark.parametrize("bucket", BUCKETS)
def test_custom_s3(url, bucket):
    """With a custom S3 endpoint, the bucket is in the path, as in botocore."""
    expected = botocore_url(bucket, url=url)
    assert expected is not None
    assert client_url(Endpoints("eu-west-1"), bucket, url=url) == expected


@pytest.mark.parametrize("bucket", ["bucket", "dotted.bucket"])
def test_custom_s3_virtual(bucket):
    """With the addressing style 'virtual', the bucket is in the host, even if the bucket's name
    contains dots or the endpoint uses HTTP.
    """
    url = "http://localhost:9000"
    expected = botocore_url(bucket, url=url, style="virtual")
    assert f"http://{bucket}.localhost:9000/key" == expected
    assert client_url(Endpoints("eu-west-1"), bucket, "virtual", url) == expected


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "http://127.0.0.1", "http://[::1]:9000", "https://10.0.0.1/x"]
)
def test_virtual_style_with_an_address(url):
    """If the addressing style is 'virtual' and the custom endpoint's host is an IP address, an
    error is raised.
    """
    with pytest.raises(ConfigError, match="has an IP address as its host"):
        Endpoints("eu-west-1").s3("bucket", url, "virtual")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("HTTP://Example.com:80/base//", "http://Example.com:80/base"),
        ("HTTPS://Example.com", "https://Example.com"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[::1]", "http://[::1]"),
        ("http://example.com:65535", "http://example.com:65535"),
    ],
)
def test_custom_url(url, origin):
    """A custom URL is used unchanged, except that its scheme becomes lowercase and trailing slashes
    are removed.
    """
    endpoint = Endpoints("eu-west-1").sagemaker_runtime(url)
    assert endpoint == Endpoint(origin, "sagemaker", "eu-west-1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https://user:password@example.com",
        "https://example.com?query",
        "https://example.com/path?query",
        "https://example.com/#fragment",
        "https://exam ple.com",
        "https://example.com/pa th",
        "https://example.com/\n",
        "https://example.com/ä",
        "https://bücher.example",
        "https://:443",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:http",
        "https://example.com:٣",
        "https://example.com:80:80",
    ],
)
def test_invalid_url(url):
    """An invalid URL is rejected.

    The message contains the URL unless it contains "@" or "?", because the URL may then contain a
    password or a signature.
    """
    with pytest.raises(
        ConfigError, match="for SageMaker Runtime must look like https://"
    ) as caught:
        Endpoints("eu-west-1").sagemaker_runtime(url)
    shown = "@" not in url and "?" not in url
    assert (f"not {url.rstrip('/')!r}" in str(caught.value)) is shown
    assert "password" not in str(caught.value)


def is_accepted(region, url=None):
    """Return whether a region and a custom URL are accepted."""
    try:
        return bool(Endpoints(region).sagemaker_runtime(url))
    except ConfigError:
        return False


def texts(*pieces):
    """Return a strategy for strings that are joined from *pieces*."""
    return st.lists(st.sampled_from(pieces), max_size=6).map("".join)


@given(texts("a", "B", "7", "-", "_", ".", "é", "a" * 31))
def test_any_region(region):
    """A region is valid if it is a host label, which consists of 1 to 63 ASCII letters, digits and
    inner hyphens.
    """
    expected = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", region)
    assert is_accepted(region) == bool(expected)


@given(texts("http", "HTTPS", "://", "/", "a.b", ":8", "@", "?", "#", " ", "\n", "é", "%41"))
def test_any_url(url):
    """A custom URL is valid if it consists of the scheme HTTP or HTTPS, a host, an optional port,
    and an optional path of printable ASCII without "?" and "#".
    """
    pattern = r"(?i:https?)://(?:(?![/?#@:])[!-~])+(?::[1-9][0-9]{0,4})?(?:/[!-\"$->@-~]*)?"
    assert is_accepted("eu-west-1", url) == bool(re.fullmatch(pattern, url.rstrip("/")))


@pytest.mark.parametrize(("fips", "dual_stack"), VARIANTS[1:])
@pytest.mark.parametrize("endpoint", [Endpoints.sagemaker_runtime, lambda of, url: of.s3("b", url)])
def test_custom_url_has_no_variants(endpoint, fips, dual_stack):
    """FIPS and dual-stack settings do not change a custom endpoint."""
    plain, variant = Endpoints("eu-west-1"), Endpoints("eu-west-1", fips, dual_stack)
    assert endpoint(variant, "https://x") == endpoint(plain, "https://x")


@pytest.mark.parametrize(
    "region", ["", " ", "a.b", "evil.example/", "-a", "a-", "a" * 64, "a\n", "ä", "a_b", "a@b"]
)
@pytest.mark.parametrize("endpoint", [Endpoints.sagemaker_runtime, lambda of, url: of.s3("b", url)])
@pytest.mark.parametrize("url", [None, "https://own.example"])
def test_invalid_region(endpoint, url, region):
    """A region that is not a host label is rejected, because it could change the host or the
    signature's scope.
    """
    with pytest.raises(ConfigError, match="region must be a host label"):
        endpoint(Endpoints(region), url)


@pytest.mark.parametrize("service", ["rolesanywhere", "signin", "sso", "sso-oidc", "sts"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("fips", "dual_stack"), VARIANTS)
def test_credential_services(service, region, fips, dual_stack):
    """The endpoints of services that issue credentials are the same as in botocore's rule sets."""
    params = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    if service == "sts":
        params["UseGlobalEndpoint"] = False
    endpoints = Endpoints(region, fips, dual_stack)
    expected = Endpoint(rules(service).resolve_endpoint(**params).url, service, region)
    assert endpoints.credentials(service) == expected


@pytest.mark.parametrize(("fips", "dual_stack"), VARIANTS[1:])
def test_global_sts_has_no_variants(fips, dual_stack):
    """Selecting a FIPS or dual-stack variant of the global STS endpoint is an error, because that
    endpoint has no variants.
    """
    assert Endpoints("aws-global").credentials("sts").region == "us-east-1"
    with pytest.raises(ConfigError, match="set a region"):
        Endpoints("aws-global", fips, dual_stack).credentials("sts")


def test_credential_services_at_a_custom_url():
    """If a custom URL is set for a credential service, it is the service's endpoint. Without a
    custom URL, an invalid region is rejected.
    """
    expected = Endpoint("http://127.0.0.1:1", "sso", "eu-west-1")
    assert Endpoints("eu-west-1").credentials("sso", "http://127.0.0.1:1/") == expected
    with pytest.raises(ConfigError, match="region must be a host label"):
        Endpoints("evil.example.com/").credentials("sso")


@pytest.mark.parametrize(
    ("settings", "region", "expected"),
    [
        ({}, None, "https://sts.eu-west-1.amazonaws.com"),
        ({}, "eu-north-1", "https://sts.eu-north-1.amazonaws.com"),
        ({"sts_regional_endpoints": "legacy"}, None, "https://sts.amazonaws.com"),
        (
            {"sts_regional_endpoints": "legacy"},
            "eu-south-1",
            "https://sts.eu-south-1.amazonaws.com",
        ),
        ({"sts_endpoint_url": "http://x", "sts_regional_endpoints": "legacy"}, None, "http://x"),
        (
            {"use_fips_endpoint": True, "sts_regional_endpoints": "legacy"},
            "us-east-1",
            "https://sts-fips.us-east-1.amazonaws.com",
        ),
    ],
    ids=str,
)
def test_sts_settings(settings, region, expected):
    """The settings decide which STS endpoint is used: a custom, a regional, a FIPS or the global
    one.
    """
    assert Config({"region": "eu-west-1", **settings}).endpoint("sts", region).origin == expected
