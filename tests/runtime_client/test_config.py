"""Settings: from an argument, else a variable, else the default."""

import sys

import pytest
from botocore.config import Config as TheirConfig
from botocore.handlers import add_recursion_detection_header
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import ConfigError, __version__, _config
from sagemaker_runtime_client._config import Config
from sagemaker_runtime_client._http import TransportOptions
from sagemaker_runtime_client._profile_file import Profiles
from sagemaker_runtime_client._retry import RetryPolicy
from sagemaker_runtime_client._user_agent import trace_headers, user_agent


def url_of(service):
    """Return the row of a service's endpoint of one's own."""
    own = f"AWS_ENDPOINT_URL_{service.upper()}"
    variables = {own: ("https://own",) * 2, "AWS_ENDPOINT_URL": ("https://all",) * 2}
    profile = {"endpoint_url": ("https://profile",) * 2}
    return (None, "https://argument", variables, profile)


# setting: default, an argument, {variable: (text, value)} in the order of precedence, and for the
# profile {key: (text, value)}
SETTINGS = {
    "profile": (
        "default",
        "argument",
        {"AWS_DEFAULT_PROFILE": ("one",) * 2, "AWS_PROFILE": ("two",) * 2},
        {},
    ),
    "region": (
        None,
        "ap-south-1",
        {"AWS_REGION": ("eu-west-1",) * 2, "AWS_DEFAULT_REGION": ("us-east-1",) * 2},
        {"region": ("eu-north-1",) * 2},
    ),
    "region_from_instance": (False, True, {}, {}),
    "endpoint_url": url_of("sagemaker_runtime"),
    "s3_endpoint_url": url_of("s3"),
    "sts_endpoint_url": url_of("sts"),
    "sso_endpoint_url": url_of("sso"),
    "sso_oidc_endpoint_url": url_of("sso_oidc"),
    "signin_endpoint_url": url_of("signin"),
    "rolesanywhere_endpoint_url": url_of("rolesanywhere"),
    "ignore_configured_endpoint_urls": (
        False,
        True,
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ("true", True)},
        {"ignore_configured_endpoint_urls": ("true", True)},
    ),
    "s3_addressing_style": ("auto", "path", {}, {"s3": ({"addressing_style": "path"}, "path")}),
    "use_fips_endpoint": (
        False,
        True,
        {"AWS_USE_FIPS_ENDPOINT": ("true", True)},
        {"use_fips_endpoint": ("true", True)},
    ),
    "use_dualstack_endpoint": (
        False,
        True,
        {"AWS_USE_DUALSTACK_ENDPOINT": ("TRUE", True)},
        {"use_dualstack_endpoint": ("True", True)},
    ),
    "sts_regional_endpoints": (
        "regional",
        "legacy",
        {"AWS_STS_REGIONAL_ENDPOINTS": ("legacy", "legacy")},
        {"sts_regional_endpoints": ("Legacy", "legacy")},
    ),
    "retry_mode": (
        "standard",
        "adaptive",
        {"AWS_RETRY_MODE": ("adaptive", "adaptive")},
        {"retry_mode": ("ADAPTIVE", "adaptive")},
    ),
    "max_attempts": (3, 7, {"AWS_MAX_ATTEMPTS": ("5", 5)}, {"max_attempts": ("6", 6)}),
    "retry_ambiguous": (True, False, {}, {}),
    "connect_timeout": (10.0, 1.5, {}, {}),
    "read_timeout": (60.0, 5, {}, {}),
    "max_connections": (64, 1, {}, {}),
    "ca_bundle": (
        None,
        "/argument.pem",
        {"AWS_CA_BUNDLE": ("/variable.pem",) * 2},
        {"ca_bundle": ("/profile.pem",) * 2},
    ),
    "app_id": (
        None,
        "argument",
        {"AWS_SDK_UA_APP_ID": ("variable",) * 2},
        {"sdk_ua_app_id": ("profile",) * 2},
    ),
    "request_checksum_calculation": (
        "when_supported",
        "when_required",
        {"AWS_REQUEST_CHECKSUM_CALCULATION": ("WHEN_REQUIRED", "when_required")},
        {"request_checksum_calculation": ("when_required", "when_required")},
    ),
    "response_checksum_validation": (
        "when_supported",
        "when_required",
        {"AWS_RESPONSE_CHECKSUM_VALIDATION": ("when_required", "when_required")},
        {"response_checksum_validation": ("when_required", "when_required")},
    ),
    "metadata_service_timeout": (
        1.0,
        2.5,
        {"AWS_METADATA_SERVICE_TIMEOUT": ("5", 5.0)},
        {"metadata_service_timeout": ("0.5", 0.5)},
    ),
    "metadata_service_num_attempts": (
        1,
        2,
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": ("5", 5)},
        {"metadata_service_num_attempts": ("4", 4)},
    ),
    "ec2_metadata_disabled": (False, True, {"AWS_EC2_METADATA_DISABLED": ("true", True)}, {}),
    "ec2_metadata_v1_disabled": (
        False,
        True,
        {"AWS_EC2_METADATA_V1_DISABLED": ("true", True)},
        {"ec2_metadata_v1_disabled": ("true", True)},
    ),
    "ec2_metadata_service_endpoint": (
        None,
        "http://argument",
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": ("http://variable",) * 2},
        {"ec2_metadata_service_endpoint": ("http://profile",) * 2},
    ),
    "ec2_metadata_service_endpoint_mode": (
        None,
        "ipv4",
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": ("IPv6", "ipv6")},
        {"ec2_metadata_service_endpoint_mode": ("ipv6", "ipv6")},
    ),
    "imds_use_ipv6": (
        False,
        True,
        {"AWS_IMDS_USE_IPV6": ("true", True)},
        {"imds_use_ipv6": ("true", True)},
    ),
}
# Names that a profile may be given in these tests.
NAMED = {name: {} for name in ("argument", "one", "two")}
NOWHERE = Profiles({"default": {}, **NAMED})
VARIABLES = [
    (name, variable, *pair)
    for name, (_, _, variables, _) in SETTINGS.items()
    for variable, pair in variables.items()
]
KEYS = [
    (name, key, *pair) for name, (_, _, _, keys) in SETTINGS.items() for key, pair in keys.items()
]


def test_all_settings_are_here():
    """The table below is whole."""
    assert set(SETTINGS) == {setting.name for setting in _config.SETTINGS}


def test_no_such_setting():
    """A setting that is not there is a mistake in the code."""
    with pytest.raises(TypeError, match="there is no setting colour"):
        Config(colour="red")


@pytest.mark.parametrize("name", SETTINGS)
def test_default(name):
    """Without an argument and a variable there is the default; None and empty text are neither."""
    empty = dict.fromkeys(SETTINGS[name][2], "")
    assert SETTINGS[name][0] == getattr(Config.resolve({}, {}), name)
    assert SETTINGS[name][0] == getattr(Config.resolve({name: None}, empty), name)


@pytest.mark.parametrize(("name", "variable", "text", "value"), VARIABLES)
def test_variable(name, variable, text, value):
    """A variable sets its setting."""
    assert value == getattr(Config.resolve({}, {variable: text}, NOWHERE), name)


@pytest.mark.parametrize("name", [name for name in SETTINGS if len(SETTINGS[name][2]) > 1])
def test_precedence_of_variables(name):
    """The first of two variables wins, unless it is empty."""
    (first, one), (second, two) = SETTINGS[name][2].items()
    assert one[1] == getattr(Config.resolve({}, {first: one[0], second: two[0]}, NOWHERE), name)
    assert two[1] == getattr(Config.resolve({}, {first: "", second: two[0]}, NOWHERE), name)


@pytest.mark.parametrize("name", SETTINGS)
def test_argument(name):
    """An argument wins over every variable."""
    environ = {variable: text for variable, (text, _) in SETTINGS[name][2].items()}
    arguments = {name: SETTINGS[name][1]}
    assert SETTINGS[name][1] == getattr(Config.resolve(arguments, environ, NOWHERE), name)


@pytest.mark.parametrize(("name", "key", "text", "value"), KEYS)
def test_profile_key(name, key, text, value):
    """The profile's key sets a setting that no variable sets; empty text does not."""
    profiles = Profiles({"default": {key: text}})
    assert value == getattr(Config.resolve({}, {}, profiles), name)
    profiles = Profiles({"default": {key: ""}})
    assert SETTINGS[name][0] == getattr(Config.resolve({}, {}, profiles), name)


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, key, *_ in KEYS if SETTINGS[name][2]]
)
def test_variable_before_profile(name, key):
    """A variable wins over the profile."""
    profiles = Profiles({"default": {key: SETTINGS[name][3][key][0]}})
    for variable, (text, value) in SETTINGS[name][2].items():
        assert value == getattr(Config.resolve({}, {variable: text}, profiles), name)


def test_profile_in_force():
    """The profile in force is the one named by an argument, else by a variable."""
    profiles = Profiles({name: {"region": f"{name}-1"} for name in ("default", "one", "two")})
    assert "default-1" == Config.resolve({}, {}, profiles).region
    assert "two-1" == Config.resolve({}, {"AWS_PROFILE": "two"}, profiles).region
    assert "one-1" == Config.resolve({"profile": "one"}, {"AWS_PROFILE": "two"}, profiles).region


@pytest.mark.parametrize("arguments", [{"profile": "none"}, {}], ids=["argument", "variable"])
def test_no_such_profile(arguments):
    """A profile that somebody named must be there, as must its services section."""
    with pytest.raises(ConfigError, match="there is no profile 'none'"):
        Config.resolve(arguments, {"AWS_PROFILE": "none"}, Profiles({"default": {}}))


@pytest.mark.parametrize("services", ["none", {"s3": "x"}])
def test_no_such_services(services):
    """A profile's services section must be there."""
    with pytest.raises(ConfigError, match="profile 'default'"):
        Config.resolve({}, {}, Profiles({"default": {"services": services}}, {}, {"s3": {}}))


SERVICES = Profiles(
    {"default": {"services": "mine", "endpoint_url": "https://profile"}},
    {},
    {"mine": {"sts": {"endpoint_url": "https://services"}}},
)


@pytest.mark.parametrize(
    ("environ", "sts", "s3"),
    [
        ({}, "https://services", "https://profile"),
        ({"AWS_ENDPOINT_URL": "https://all"}, "https://all", "https://all"),
        ({"AWS_ENDPOINT_URL_STS": "https://own"}, "https://own", "https://profile"),
        ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None, None),
    ],
    ids=str,
)
def test_endpoint_urls_in_order(environ, sts, s3):
    """A service's own variable comes first, then everyone's, then its section, then the profile's."""
    config = Config.resolve({}, environ, SERVICES)
    assert (sts, s3) == (config.sts_endpoint_url, config.s3_endpoint_url)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "http://169.254.169.254"),
        ({"imds_use_ipv6": True}, "http://[fd00:ec2::254]"),
        ({"ec2_metadata_service_endpoint_mode": "ipv6"}, "http://[fd00:ec2::254]"),
        (
            {"imds_use_ipv6": True, "ec2_metadata_service_endpoint_mode": "ipv4"},
            "http://169.254.169.254",
        ),
        (
            {"imds_use_ipv6": True, "ec2_metadata_service_endpoint": "http://127.0.0.1:1338/"},
            "http://127.0.0.1:1338",
        ),
    ],
    ids=str,
)
def test_metadata_endpoint(settings, expected):
    """The metadata service has an address of each family; one of the user's own wins."""
    assert expected == Config(**settings).metadata_endpoint


def test_legacy_retries_are_standard():
    """What boto3 calls legacy is no reason not to start."""
    assert "standard" == Config.resolve({}, {"AWS_RETRY_MODE": "legacy"}).retry_mode


def test_malformed_profile_key():
    """A malformed value of the profile is named by its key."""
    with pytest.raises(
        ConfigError, match=r"^the profile's use_fips_endpoint must be true or false"
    ):
        Config.resolve({}, {}, Profiles({"default": {"use_fips_endpoint": "maybe"}}))


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
        ("AWS_METADATA_SERVICE_TIMEOUT", "0"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "long"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "nan"),
        ("AWS_RETRY_MODE", "none"),
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
        ("read_timeout", float("inf")),
        ("connect_timeout", 1e10),
        ("max_connections", 0),
        ("s3_addressing_style", "host"),
        ("app_id", "x" * 51),
        ("retry_mode", "none"),
        ("sts_regional_endpoints", "global"),
        ("request_checksum_calculation", "always"),
        ("response_checksum_validation", "never"),
    ],
)
def test_malformed_argument(name, value):
    """A malformed argument is named."""
    with pytest.raises(ConfigError, match=f"^{name} "):
        Config.resolve({name: value}, {})


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("retry_mode", "ADAPTIVE", "adaptive"),
        ("retry_mode", "legacy", "standard"),
        ("s3_addressing_style", "Path", "path"),
        ("sts_regional_endpoints", "Legacy", "legacy"),
        ("request_checksum_calculation", "WHEN_REQUIRED", "when_required"),
        ("response_checksum_validation", "WHEN_SUPPORTED", "when_supported"),
    ],
)
def test_words(name, value, meant):
    """A word is an argument in any case, as it is a variable's text."""
    assert meant == getattr(Config.resolve({name: value}, {}), name)


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
    with pytest.raises(ConfigError, match=r"region=, set AWS_REGION, or give the profile"):
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region", 5),
        ("endpoint_url", 5),
        ("max_attempts", "3"),
        ("max_attempts", 1.5),
        ("max_attempts", True),
        ("read_timeout", "5"),
        ("use_fips_endpoint", "true"),
    ],
)
def test_argument_of_another_kind(name, value):
    """An argument of the wrong type is an error of the settings that names it."""
    with pytest.raises(ConfigError, match=f"{name} must be of type"):
        Config.resolve({name: value}, {})
