"""Settings: from an argument, else a variable, else the default."""

import sys

import pytest
from attrs import fields
from botocore.config import Config as TheirConfig
from botocore.handlers import add_recursion_detection_header
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import ConfigError, __version__
from sagemaker_runtime_client._config import Config, trace_headers, user_agent
from sagemaker_runtime_client._retry import RetryPolicy
from sagemaker_runtime_client._transport import TransportOptions

# setting: default, an argument, {variable: (text, value)} in the order of precedence
SETTINGS = {
    "region": (
        None,
        "ap-south-1",
        {"AWS_REGION": ("eu-west-1",) * 2, "AWS_DEFAULT_REGION": ("us-east-1",) * 2},
    ),
    "endpoint_url": (
        None,
        "https://argument",
        {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": ("https://own",) * 2,
            "AWS_ENDPOINT_URL": ("https://all",) * 2,
        },
    ),
    "s3_endpoint_url": (
        None,
        "https://argument",
        {
            "AWS_ENDPOINT_URL_S3": ("https://s3",) * 2,
            "AWS_ENDPOINT_URL": ("https://all",) * 2,
        },
    ),
    "s3_addressing_style": ("auto", "path", {}),
    "use_fips_endpoint": (False, True, {"AWS_USE_FIPS_ENDPOINT": ("true", True)}),
    "use_dualstack_endpoint": (False, True, {"AWS_USE_DUALSTACK_ENDPOINT": ("TRUE", True)}),
    "max_attempts": (3, 7, {"AWS_MAX_ATTEMPTS": ("5", 5)}),
    "retry_ambiguous": (True, False, {}),
    "connect_timeout": (10.0, 1.5, {}),
    "read_timeout": (60.0, 5, {}),
    "max_connections": (64, 1, {}),
    "ca_bundle": (None, "/argument.pem", {"AWS_CA_BUNDLE": ("/variable.pem",) * 2}),
    "app_id": (None, "argument", {"AWS_SDK_UA_APP_ID": ("variable",) * 2}),
}
VARIABLES = [
    (name, variable, *pair)
    for name, (_, _, variables) in SETTINGS.items()
    for variable, pair in variables.items()
]


def test_all_settings_are_here():
    """The table below is whole."""
    assert set(SETTINGS) == {field.name for field in fields(Config)}


@pytest.mark.parametrize("name", SETTINGS)
def test_default(name):
    """Without an argument and a variable there is the default; None and empty text are neither."""
    empty = dict.fromkeys(SETTINGS[name][2], "")
    assert SETTINGS[name][0] == getattr(Config.resolve({}, {}), name)
    assert SETTINGS[name][0] == getattr(Config.resolve({name: None}, empty), name)


@pytest.mark.parametrize(("name", "variable", "text", "value"), VARIABLES)
def test_variable(name, variable, text, value):
    """A variable sets its setting."""
    assert value == getattr(Config.resolve({}, {variable: text}), name)


@pytest.mark.parametrize("name", [name for name in SETTINGS if len(SETTINGS[name][2]) > 1])
def test_precedence_of_variables(name):
    """The first of two variables wins, unless it is empty."""
    (first, one), (second, two) = SETTINGS[name][2].items()
    assert one[1] == getattr(Config.resolve({}, {first: one[0], second: two[0]}), name)
    assert two[1] == getattr(Config.resolve({}, {first: "", second: two[0]}), name)


@pytest.mark.parametrize("name", SETTINGS)
def test_argument(name):
    """An argument wins over every variable."""
    environ = {variable: text for variable, (text, _) in SETTINGS[name][2].items()}
    assert SETTINGS[name][1] == getattr(Config.resolve({name: SETTINGS[name][1]}, environ), name)


@pytest.mark.parametrize("name", ["use_fips_endpoint", "use_dualstack_endpoint"])
def test_false_argument(name):
    """False is an argument too."""
    (variable,) = SETTINGS[name][2]
    assert getattr(Config.resolve({name: False}, {variable: "true"}), name) is False
    assert getattr(Config.resolve({}, {variable: "False"}), name) is False


def test_argument_spares_a_malformed_variable():
    """A variable that is not needed is not looked at."""
    assert 2 == Config.resolve({"max_attempts": 2}, {"AWS_MAX_ATTEMPTS": "many"}).max_attempts


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", "-1"),
        ("AWS_MAX_ATTEMPTS", "1000"),
        ("AWS_MAX_ATTEMPTS", "3.0"),
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_MAX_ATTEMPTS", "²"),
        ("AWS_MAX_ATTEMPTS", "1" * 5000),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_USE_FIPS_ENDPOINT", "1"),
        ("AWS_USE_DUALSTACK_ENDPOINT", " true"),
    ],
    ids=lambda text: text[:30],
)
def test_malformed_variable(variable, text):
    """A malformed variable is named."""
    with pytest.raises(ConfigError, match=f"^{variable} "):
        Config.resolve({}, {variable: text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("connect_timeout", 0),
        ("read_timeout", -1),
        ("read_timeout", float("nan")),
        ("max_connections", 0),
        ("s3_addressing_style", "host"),
        ("app_id", "x" * 51),
    ],
)
def test_malformed_argument(name, value):
    """A malformed argument is named."""
    with pytest.raises(ConfigError, match=f"^{name} "):
        Config.resolve({name: value}, {})


@pytest.mark.parametrize(("text", "ignored"), [("true", True), ("TRUE", True), ("false", False)])
def test_ignored_endpoint_urls(text, ignored):
    """One variable takes back all endpoint URLs of the environment, but no argument."""
    environ = {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": text,
        "AWS_ENDPOINT_URL": "https://all",
        "AWS_ENDPOINT_URL_S3": "https://s3",
        "AWS_REGION": "eu-west-1",
    }
    config = Config.resolve({}, environ)
    expected = (None, None) if ignored else ("https://all", "https://s3")
    assert expected == (config.endpoint_url, config.s3_endpoint_url)
    assert "eu-west-1" == config.region
    config = Config.resolve({"endpoint_url": "https://argument"}, environ)
    assert "https://argument" == config.endpoint_url


def test_endpoint_options():
    """What an endpoint depends on comes from the settings."""
    options = Config(region="r", use_fips_endpoint=True).endpoint_options("https://x")
    assert ("r", "https://x", True, False) == (
        options.region,
        options.url,
        options.fips,
        options.dual_stack,
    )


def test_no_region():
    """Without a region nothing can be signed, and the message says how to set one."""
    with pytest.raises(ConfigError, match=r"region=, or set AWS_REGION"):
        Config().endpoint_options("https://x")


def test_what_others_take_from_it():
    """The transport and the retries have their parts."""
    config = Config(
        connect_timeout=1, read_timeout=2, max_connections=3, ca_bundle="x", max_attempts=4
    )
    assert TransportOptions(1, 2, 3, "x") == config.transport_options
    assert RetryPolicy(4, retry_ambiguous=True) == config.retry_policy


def test_user_agent():
    """The user agent has botocore's form: name, version of the form, system, language."""
    version = ".".join(map(str, sys.version_info[:3]))
    assert (
        f"sagemaker-runtime-client/{__version__} ua/2.1 os/{sys.platform} lang/python#{version} "
        f"md/pyimpl#{sys.implementation.name} cfg/retry-mode#standard"
    ) == user_agent(Config(), {})


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=50))
def test_user_agent_holds_no_other_characters(text):
    """Whatever an application calls itself, what goes out can be a header, and one word of it."""
    agent = user_agent(Config(app_id=text), {"AWS_EXECUTION_ENV": text})
    assert agent.isascii()
    assert agent.isprintable()
    assert (8 if text else 6) == len(agent.split())


def test_app_id_as_long_as_botocore_takes_it():
    """Fifty characters are what botocore takes without a warning."""
    assert 50 == len(Config.resolve({"app_id": "x" * 50}, {}).app_id)
    assert "x" * 50 == TheirConfig(user_agent_appid="x" * 50).user_agent_appid


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
    """Outside Lambda, or without a trace, there is none."""
    assert [] == trace_headers(environ)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_trace_header_is_botocores(trace_id):
    """The trace id is encoded as botocore encodes it."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": trace_id}
    params = {"headers": {}}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        add_recursion_detection_header(params)
    assert [("x-amzn-trace-id", params["headers"]["X-Amzn-Trace-Id"])] == trace_headers(environ)
