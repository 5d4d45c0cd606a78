"""Test STS endpoints against botocore's test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._settings.config import Config

SUITE = json.loads((Path(os.environ["SUITES"]) / "endpoints-sts.json").read_text("utf-8"))
CASES = [pytest.param(case, id=case["documentation"]) for case in SUITE["testCases"]]
PARTS = {
    "Region": "region",
    "Endpoint": "sts_endpoint_url",
    "UseFIPS": "use_fips_endpoint",
    "UseDualStack": "use_dualstack_endpoint",
}


def resolve(params):
    """Return the endpoint that a credentials provider with the parameters of a case would use."""
    known = {PARTS[name]: value for name, value in params.items() if name in PARTS}
    legacy = params.get("UseGlobalEndpoint", False)
    config = Config({**known, "sts_regional_endpoints": "legacy" if legacy else "regional"})
    return config.endpoint("sts")


def test_the_suite_is_whole():
    """The suite has 69 cases, and all of them are tested."""
    assert len(CASES) == 69


@pytest.mark.parametrize("case", CASES)
def test_endpoint(case):
    """Each case gives the expected endpoint or error, except the cases that comments explain."""
    params, expect = case.get("params", {}), case["expect"]
    if "custom endpoint" in expect.get("error", ""):
        # The case expects an error, but this package ignores the FIPS and dual-stack options for a
        # custom URL, as botocore's clients do.
        assert resolve(params).origin == params["Endpoint"]
        return
    # If no region is set, this package raises an error even if the case expects an endpoint,
    # because signing requires a region.
    if "error" in expect or "Region" not in params:
        with pytest.raises(ConfigError):
            resolve(params)
        return
    (scheme,) = expect["endpoint"].get("properties", {}).get("authSchemes", [{}])
    assert resolve(params).origin == expect["endpoint"]["url"]
    assert resolve(params).service == "sts"
    assert resolve(params).region == scheme.get("signingRegion", params["Region"])
