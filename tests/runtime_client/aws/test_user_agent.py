"""Tests of two headers: the user agent, which identifies the client, and the trace header, which
identifies the request's trace in Lambda.
"""

import sys

import pytest
from botocore.config import Config as TheirConfig
from botocore.handlers import add_recursion_detection_header
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import __version__
from sagemaker_runtime_client._aws.user_agent import trace_headers, user_agent
from sagemaker_runtime_client._settings.config import Config

APP_ID = "AWS_SDK_UA_APP_ID"


def test_user_agent():
    """The user agent consists of the client's name and version, the version of the format, the
    operating system, the Python version, the Python implementation and the retry mode.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    assert user_agent("standard", None, {}) == (
        f"sagemaker-runtime-client/{__version__} ua/2.1 os/{sys.platform} lang/python#{version} "
        f"md/pyimpl#{sys.implementation.name} cfg/retry-mode#standard"
    )


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.text(max_size=50))
def test_any_app_id(text):
    """Any application ID and execution environment result in a printable ASCII header value, in
    which each of them is a single word.
    """
    agent = user_agent("standard", text, {"AWS_EXECUTION_ENV": text})
    assert agent.isascii()
    assert agent.isprintable()
    assert len(agent.split()) == (8 if text else 6)


@pytest.mark.parametrize("length", [50, 51])
def test_app_id_of_any_length(length, caplog):
    """An application ID of more than 50 characters is accepted unchanged, as in botocore, but
    causes a warning.
    """
    given = Config.resolve({"app_id": "x" * length}, {}), Config.resolve({}, {APP_ID: "x" * length})
    assert [config.app_id for config in given] == ["x" * length] * 2
    assert TheirConfig(user_agent_appid="x" * length).user_agent_appid == "x" * length
    assert len(caplog.messages) == (2 if length > 50 else 0)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"_X_AMZN_TRACE_ID": "Root=1"},
        {"AWS_LAMBDA_FUNCTION_NAME": "f"},
        {"AWS_LAMBDA_FUNCTION_NAME": "", "_X_AMZN_TRACE_ID": "Root=1"},
        {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": ""},
    ],
    ids=str,
)
def test_no_trace_header(environ):
    """Outside Lambda, or if no trace ID is set, no trace header is sent."""
    assert trace_headers(environ) == []


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_trace_header_equals_botocores(trace_id):
    """In the trace header, the trace ID is encoded in the same way as in botocore."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": trace_id}
    params = {"headers": {}}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        add_recursion_detection_header(params)
    assert trace_headers(environ) == [("x-amzn-trace-id", params["headers"]["X-Amzn-Trace-Id"])]
