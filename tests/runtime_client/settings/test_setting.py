"""Settings that are malformed: who minds, and who does not."""

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._settings.config import SETTINGS, Config
from tests.runtime_client.scripted_io import ScriptedIO, accepted, core, run

CONFIG = "/home/user/.aws/config"
# What the operation itself needs, or every request.
NEEDED = {"profile", "endpoint_url", "retry_mode", "max_attempts"}
VARIABLES = [
    (setting, variable)
    for setting in SETTINGS.values()
    for variable in (*setting.variables, *setting.last)
    if variable not in {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}
]
KEYS = [(setting, key) for setting in SETTINGS.values() for key in setting.keys if "." not in key]


def invoke(io):
    """Queue a job, in a region, with credentials of its own."""
    return run(core(io).invoke_endpoint_async("e", body=b"x"))


@pytest.mark.parametrize(
    "variable", [name for of, name in VARIABLES if of.name not in NEEDED], ids=str
)
def test_variable_that_a_call_does_not_need(variable):
    """Each variable may be malformed while nobody needs it."""
    io = ScriptedIO([accepted()], {variable: "1 malformed \0"})
    assert invoke(io).inference_id == "theirs"
    assert len(io.sent) == 1


@pytest.mark.parametrize("key", [key for of, key in KEYS if of.name not in NEEDED], ids=str)
def test_key_that_a_call_does_not_need(key):
    """So may each key of the profile, and a section that it names."""
    text = f"[default]\n{key} = 1 malformed \0\nservices = nowhere\n"
    io = ScriptedIO(
        [accepted()], {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "https://x"}, files={CONFIG: text}
    )
    assert invoke(io).inference_id == "theirs"


@pytest.mark.parametrize("variable", [name for of, name in VARIABLES if of.name in NEEDED], ids=str)
def test_variable_that_every_call_needs(variable):
    """What a call needs is an error, and nothing is sent."""
    io = ScriptedIO([], {variable: "1 malformed \0"})
    with pytest.raises(ConfigError):
        invoke(io)
    assert io.sent == []


def test_of_the_class():
    """The class has the setting itself, as a property of Python's has it."""
    assert Config.region.variables == ("AWS_REGION", "AWS_DEFAULT_REGION")
