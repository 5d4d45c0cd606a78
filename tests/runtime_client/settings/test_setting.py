"""Tests that a malformed setting affects only the calls that need it."""

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._settings.config import SETTINGS, Config
from tests.runtime_client.scripted_io import ScriptedIO, accepted, core, run

CONFIG = "/home/user/.aws/config"
# Every call, or at least the function `invoke`, needs these settings.
NEEDED = {"profile", "endpoint_url", "retry_mode", "max_attempts"}
VARIABLES = [
    (setting, variable)
    for setting in SETTINGS.values()
    for variable in (*setting.variables, *setting.last)
    if variable not in {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}
]
KEYS = [(setting, key) for setting in SETTINGS.values() for key in setting.keys if "." not in key]


def invoke(io):
    """Queue a job with a client whose region and credentials are passed as arguments."""
    return run(core(io).invoke_endpoint_async("e", body=b"x"))


@pytest.mark.parametrize(
    "variable", [name for of, name in VARIABLES if of.name not in NEEDED], ids=str
)
def test_variable_that_a_call_does_not_need(variable):
    """If an environment variable is malformed, a call that does not need the variable ignores it."""
    io = ScriptedIO([accepted()], {variable: "1 malformed \0"})
    assert invoke(io).inference_id == "theirs"
    assert len(io.sent) == 1


@pytest.mark.parametrize("key", [key for of, key in KEYS if of.name not in NEEDED], ids=str)
def test_key_that_a_call_does_not_need(key):
    """If a profile contains a malformed value or refers to a missing section, a call that needs
    neither is not affected.
    """
    text = f"[default]\n{key} = 1 malformed \0\nservices = nowhere\n"
    io = ScriptedIO(
        [accepted()], {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "https://x"}, files={CONFIG: text}
    )
    assert invoke(io).inference_id == "theirs"


@pytest.mark.parametrize("variable", [name for of, name in VARIABLES if of.name in NEEDED], ids=str)
def test_variable_that_every_call_needs(variable):
    """If an environment variable that every call needs is malformed, the call raises a ConfigError,
    and nothing is sent.
    """
    io = ScriptedIO([], {variable: "1 malformed \0"})
    with pytest.raises(ConfigError):
        invoke(io)
    assert io.sent == []


def test_of_the_class():
    """If a setting is accessed through the class `Config`, the descriptor is returned, as for a
    Python property.
    """
    assert Config.region.variables == ("AWS_REGION", "AWS_DEFAULT_REGION")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("allowed_locations", value) for value in ("s3://bucket/", {"s3://bucket/"}, [], [None])],
        ("allowed_locations", ["s3://bucket/prefix"]),
        ("allowed_locations", ["s3://bucket", "s3://bucket*"]),
        ("allowed_locations", ["s3:///prefix/"]),
        ("allowed_locations", ["s3://"]),
        ("allowed_locations", ["https://bucket.s3.amazonaws.com/prefix/"]),
        ("allowed_locations", ["bucket"]),
        ("expected_bucket_owner", 123456789012),
        ("expected_bucket_owner", "12345678901"),
        ("expected_bucket_owner", "1234567890123"),
        ("expected_bucket_owner", "12345678901x"),
        ("expected_bucket_owner", "\u0661" * 12),
    ],
)
def test_malformed_restriction(name, value):
    """If a restriction on S3 is malformed, every call raises an error; the restriction is never
    ignored.
    """
    io = ScriptedIO([])
    with pytest.raises(ConfigError, match=f"^{name} must "):
        run(core(io, **{name: value}).get_object("s3://bucket/key"))
    with pytest.raises(ConfigError, match=f"^{name} must "):
        core(io).with_options(**{name: value})
    assert io.sent == []


def test_locations():
    """A bucket without a slash means the whole bucket; a prefix stays as it is."""
    given = ["s3://a", "s3://a/", "s3://a/b/", "s3://a//", "s3://a/../*/"]
    expected = ("s3://a/", "s3://a/", "s3://a/b/", "s3://a//", "s3://a/../*/")
    assert Config({"allowed_locations": given}).allowed_locations == expected
