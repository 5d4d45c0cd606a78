"""Compare random requests of both clients with those of botocore: `make fuzz`.

Each operation is tested with EXAMPLES random examples if EXAMPLES is at most 1000, and otherwise
with a twentieth of them, but at least 1000, because a server receives each request.
"""

import os
from contextlib import ExitStack

import pytest

from tests.runtime_client.clients import KINDS
from tests.runtime_client.conftest import bare_environment  # noqa: F401 (a fixture)
from tests.runtime_client.request_properties import Comparison, each_model, valid
from tests.sigv4.property_runs import run_property

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
RUNS = min(EXAMPLES, max(1000, EXAMPLES // 20))


@each_model
@pytest.mark.usefixtures("bare_environment")
def test_requests(model):
    """For any valid arguments, a blocking client and an async client on asyncio and on trio send
    the same request as botocore.
    """
    with ExitStack() as stack:
        kinds = [KINDS[name] for name in ("blocking", "asyncio", "trio")]
        comparison = Comparison(stack, kinds)
        run_property(
            lambda given: comparison.are_equal(model, given), valid(model), RUNS, is_random=True
        )
