"""Fixtures that provide an emulator and boto3 clients for it."""

from contextlib import ExitStack, closing

import boto3
import pytest
from botocore.config import Config

from sagemaker_runtime_client.emulator import Emulator

SESSION = boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def emulator():
    """Run an emulator with the default model, which returns its input."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def boto():
    """Return a function that creates boto3 clients for an emulator."""
    with ExitStack() as stack:

        def client(service, emulator, **changes):
            options = {
                "endpoint_url": emulator.url,
                "region_name": emulator.region,
                "aws_access_key_id": emulator.credentials.access_key_id,
                "aws_secret_access_key": emulator.credentials.secret_access_key,
                "aws_session_token": emulator.credentials.session_token,
                "config": ONE_ATTEMPT,
            }
            made = SESSION.client(service, **{**options, **changes})
            return stack.enter_context(closing(made))

        yield client
