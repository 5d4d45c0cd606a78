"""Tests of FIPS and dual-stack endpoints in combination with endpoint URLs."""

from contextlib import suppress

import pytest
from botocore.session import Session

from sagemaker_runtime_client._settings.config import Config


@pytest.mark.parametrize("variant", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
@pytest.mark.parametrize("own", ["sagemaker_runtime", "s3", "sts"])
def test_endpoints_are_botocores(variant, own, monkeypatch):
    """If FIPS or dual-stack endpoints are enabled, and one service has an endpoint URL, the origins
    of SageMaker Runtime, S3 and STS are the same as in botocore.
    """
    environ = {variant: "true", f"AWS_ENDPOINT_URL_{own.upper()}": "https://own:8443/x"}
    environ |= {"AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": "", "AWS_ACCESS_KEY_ID": "a"}
    environ |= {"AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    config = Config.resolve({}, environ)
    runtime = config.endpoints.sagemaker_runtime(config.endpoint_url)
    s3, _ = config.endpoints.s3("bucket", config.s3_endpoint_url)
    theirs = [
        url_of_call(
            "sagemaker-runtime", "invoke_endpoint_async", EndpointName="e", InputLocation="l"
        ),
        url_of_call("s3", "head_bucket", Bucket="bucket"),
        url_of_call("sts", "get_caller_identity"),
    ]
    paths = ("/endpoints/e/async-invocations", "/bucket", "")
    assert [runtime.origin, s3.origin, config.endpoint("sts").origin] == [
        url.rstrip("/").removesuffix(path) for url, path in zip(theirs, paths, strict=True)
    ]


class Sent(Exception):  # noqa: N818 (it is what the test asks for)
    """An exception that is raised instead of sending a request, in order to end a botocore call."""


def url_of_call(service, operation, **parameters):
    """Return the URL to which botocore would send the request of an operation."""
    client = Session().create_client(service, region_name="us-east-1")
    urls = []

    def keep(request, **_):
        urls.append(request.url)
        raise Sent

    client.meta.events.register("before-send", keep)
    with suppress(Sent):
        getattr(client, operation)(**parameters)
    return urls[0]
