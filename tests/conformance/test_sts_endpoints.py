"""botocore's test cases for STS endpoints."""

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
    """Resolve the parameters of a case as a provider does."""
    known = {PARTS[name]: value for name, value in params.items() if name in PARTS}
    legacy = params.get("UseGlobalEndpoint", False)
    config = Config({**known, "sts_regional_endpoints": "legacy" if legacy else "regional"})
    return config.endpoint("sts")


def test_the_suite_is_whole():
    """All 69 cases are run."""
    assert len(CASES) == 69


@pytest.mark.parametrize("case", CASES)
def test_endpoint(case):
    """Each set of parameters gives the endpoint or the error of the case."""
    params, expect = case.get("params", {}), case["expect"]
    if "custom endpoint" in expect.get("error", ""):
        # botocore's clients do not apply variants to a custom URL; see test_variants.
        assert resolve(params).origin == params["Endpoint"]
        return
    # A custom URL needs a region only for signing.
    if "error" in expect or "Region" not in params:
        with pytest.raises(ConfigError):
            resolve(params)
        return
    (scheme,) = expect["endpoint"].get("properties", {}).get("authSchemes", [{}])
    assert resolve(params).origin == expect["endpoint"]["url"]
    assert resolve(params).service == "sts"
    assert resolve(params).region == scheme.get("signingRegion", params["Region"])
