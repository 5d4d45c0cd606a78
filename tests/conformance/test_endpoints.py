"""botocore's cases for the endpoint of SageMaker Runtime."""

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
# A custom URL needs a region only for signing.
NO_REGION = "For custom endpoint with region not set and fips disabled and dualstack disabled"


def resolve(params):
    """Resolve the parameters of a case as a client does."""
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
    """All 47 cases are run."""
    assert len(CASES) == 47


@pytest.mark.parametrize("case", CASES)
def test_endpoint(case):
    """Each set of parameters gives the endpoint or the error of the case."""
    params = case.get("params", {})
    if "custom endpoint" in case["expect"].get("error", ""):
        # botocore's clients do not apply variants to a custom URL; see test_variants.
        assert resolve(params).origin == params["Endpoint"]
    elif "error" in case["expect"] or case["documentation"] == NO_REGION:
        with pytest.raises(ConfigError):
            resolve(params)
    else:
        assert resolve(params).origin == case["expect"]["endpoint"]["url"]
