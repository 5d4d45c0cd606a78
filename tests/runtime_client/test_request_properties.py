"""Test the properties in ``request_properties.py`` with 50 examples for each operation."""

from contextlib import ExitStack

import pytest

from tests.runtime_client.clients import KINDS
from tests.runtime_client.request_properties import (
    OPERATIONS,
    Comparison,
    at_limits,
    each_model,
    invalid,
    valid,
)
from tests.sigv4.property_runs import run_property

EXAMPLES = 50


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Hide this machine's settings from the tests."""


@pytest.fixture
def comparison():
    """Botocore's clients, and a blocking and an async client of this package."""
    with ExitStack() as stack:
        yield Comparison(stack, [KINDS["blocking"], KINDS["asyncio"]])


@each_model
def test_valid_arguments(comparison, model):
    """For any valid arguments, both clients send the same request as botocore."""
    run_property(lambda given: comparison.are_equal(model, given), valid(model), EXAMPLES)


@each_model
def test_invalid_arguments(comparison, model):
    """Arguments that botocore rejects before it sends a request are rejected by both clients, too."""
    for arguments in invalid(model):
        comparison.are_rejected(model, arguments)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_all_members(kind):
    """Each kind of client sends the same request as botocore if all members have their least or
    greatest values, also through a user-supplied HTTP client.
    """
    with ExitStack() as stack:
        comparison = Comparison(stack, [kind])
        for model in OPERATIONS:
            for arguments in at_limits(model):
                comparison.are_equal(model, arguments)
