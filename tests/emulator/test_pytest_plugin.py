"""Test the emulator's pytest fixtures, which are loaded from the plugin as in users' tests."""

import os
import subprocess
import sys

import pytest

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.emulator._environment import CONFLICTING_VARIABLES

pytest_plugins = ["sagemaker_runtime_client.emulator.pytest_plugin"]

USER_TEST = """
import boto3, pytest

@pytest.fixture
def sagemaker_model():
    return lambda request: request.body.upper()

def test_answer(sagemaker_environment):
    runtime = boto3.client("sagemaker-runtime")
    accepted = runtime.invoke_endpoint_async(EndpointName="e", Body=b"abc")
    assert sagemaker_environment.objects.wait_for(accepted["OutputLocation"]).body == b"ABC"
    runtime.close()
"""


class TestDefaults:
    def test_defaults(self, sagemaker_emulator, sagemaker_model):
        """By default, the emulator is in us-east-1, and its model returns the input."""
        assert sagemaker_emulator.region == "us-east-1"
        assert sagemaker_model.__name__ == "echo"


class TestOverrides:
    @pytest.fixture
    def sagemaker_emulator_options(self):
        return {"region": "eu-west-1"}

    @pytest.fixture
    def _elsewhere(self, monkeypatch, tmp_path):
        (tmp_path / ".aws").mkdir()
        keys = "ignore_configured_endpoint_urls", "use_fips_endpoint", "use_dualstack_endpoint"
        lines = ["[default]", *(f"{key} = true" for key in keys), "region = us-west-2"]
        (tmp_path / ".aws/config").write_text("\n".join(lines))
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.delenv(name, raising=False)
        for name in CONFLICTING_VARIABLES:
            monkeypatch.setenv(name, "elsewhere")
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")

    @pytest.mark.usefixtures("_elsewhere")
    def test_environment(self, sagemaker_environment, sagemaker_emulator, monkeypatch):
        """The environment variables make clients use the emulator, regardless of earlier settings."""
        assert sagemaker_environment is sagemaker_emulator
        assert os.environ["AWS_ENDPOINT_URL_S3"] == sagemaker_emulator.url
        assert os.environ["AWS_REGION"] == "eu-west-1"
        assert set(CONFLICTING_VARIABLES) & set(os.environ) == set()
        with SageMakerRuntimeClient() as client:
            assert client.infer("a", b"x", timeout=10).body == b"x"
        with monkeypatch.context() as patch:  # as in a shell, where clients still read these files
            for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
                patch.delenv(name)
            with SageMakerRuntimeClient() as client:
                assert client.infer("a", b"x", timeout=10).body == b"x"


def test_plugin_in_conftest(tmp_path):
    """To test code that uses boto3, it is enough to list the plugin in conftest.py."""
    plugin = "sagemaker_runtime_client.emulator.pytest_plugin"
    imported_before = "from sagemaker_runtime_client.emulator import pytest_plugin\n"
    (tmp_path / "conftest.py").write_text(f"{imported_before}pytest_plugins = ['{plugin}']")
    (tmp_path / "test_it.py").write_text(USER_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
