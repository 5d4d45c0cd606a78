"""Test the endpoints of SageMaker Runtime against botocore's test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._settings.config import Config

SUITE = json.loads(
    (Path(os.environ["SUITES"]) / "endpoints-sagemaker-runtime.json").read_text("utf-8")
)
CASES = [pytest.param(case, id=case["documentation"]) for case in SUITE["testCases"]]
# For this case, botocore returns an endpoint.  This package raises an error, because it needs a
# region for signing.
NO_REGION = "For custom endpoint with region not set and fips disabled and dualstack disabled"


def resolve(params):
    """Return the endpoint that a client with the parameters of a case would use."""
    config = Config(
        {
            "region": params.get("Region"),
            "endpoint_url": params.get("Endpoint"),
            "use_fips_endpoint": params.get("UseFIPS"),
            "use_dualstack_endpoint": params.get("UseDualStack"),
        }
    )
    return config.endpoints.sagemaker_runtime(config.endpoint_url)


def test_the_suite_is_whole():
    """The suite has 47 cases, and all of them are tested."""
    assert len(CASES) == 47


@pytest.mark.parametrize("case", CASES)
def test_endpoint(case):
    """Each case gives the expected endpoint or error, except the cases that comments explain."""
    params = case.get("params", {})
    if "custom endpoint" in case["expect"].get("error", ""):
        # The case expects an error, but this package ignores the FIPS and dual-stack options for a
        # custom URL, as botocore's clients do.
        assert resolve(params).origin == params["Endpoint"]
    elif "error" in case["expect"] or case["documentation"] == NO_REGION:
        with pytest.raises(ConfigError):
            resolve(params)
    else:
        assert resolve(params).origin == case["expect"]["endpoint"]["url"]
