"""Tests of settings: their precedence (argument, variables, profile, default) and malformed values."""

import pytest
from botocore.utils import ensure_boolean

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._aws.retry import RetryPolicy
from sagemaker_runtime_client._settings import config as _config
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import Profiles


def get_url(service):
    """Return the row of `SETTINGS` for the custom endpoint of a service."""
    own = f"AWS_ENDPOINT_URL_{service.upper()}"
    variables = {own: ("https://own",) * 2, "AWS_ENDPOINT_URL": ("https://all",) * 2}
    profile = {"endpoint_url": ("https://profile",) * 2}
    return (None, "https://argument", variables, profile)


# Each setting has a tuple: its default, an argument, its variables in order of precedence as
# {variable: (text, value)}, and its profile keys as {key: (text, value)}.
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
    "endpoint_url": get_url("sagemaker_runtime"),
    "router_endpoint_url": get_url("sagemaker_inference_router_runtime"),
    "s3_endpoint_url": get_url("s3"),
    "sts_endpoint_url": get_url("sts"),
    "sso_endpoint_url": get_url("sso"),
    "sso_oidc_endpoint_url": get_url("sso_oidc"),
    "signin_endpoint_url": get_url("signin"),
    "rolesanywhere_endpoint_url": get_url("rolesanywhere"),
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
    "timeout": (float("inf"), 30.0, {}, {}),
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
    "allowed_locations": ((), ("s3://bucket/", "s3://bucket/prefix/"), {}, {}),
    "expected_bucket_owner": (None, "123456789012", {}, {}),
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
# These are the names of the profiles that the tests select.
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
    """The table `SETTINGS` contains all settings."""
    assert set(SETTINGS) == set(_config.SETTINGS)


def test_no_such_setting():
    """An unknown setting raises a KeyError, because it is a programming error."""
    with pytest.raises(KeyError, match="color"):
        Config({"color": "red"})


@pytest.mark.parametrize("name", SETTINGS)
def test_default(name):
    """If no argument and no variable is set, the default applies; None and empty strings are not
    set.
    """
    empty = dict.fromkeys(SETTINGS[name][2], "")
    assert getattr(Config.resolve({}, {}), name) == SETTINGS[name][0]
    assert getattr(Config.resolve({name: None}, empty), name) == SETTINGS[name][0]


@pytest.mark.parametrize(("name", "variable", "text", "value"), VARIABLES)
def test_variable(name, variable, text, value):
    """An environment variable determines the value of its setting."""
    assert getattr(Config.resolve({}, {variable: text}, NOWHERE), name) == value


@pytest.mark.parametrize("name", [name for name in SETTINGS if len(SETTINGS[name][2]) > 1])
def test_precedence_of_variables(name):
    """If two variables set the same setting, the first one takes precedence unless it is empty."""
    (first, one), (second, two) = SETTINGS[name][2].items()
    assert getattr(Config.resolve({}, {first: one[0], second: two[0]}, NOWHERE), name) == one[1]
    assert getattr(Config.resolve({}, {first: "", second: two[0]}, NOWHERE), name) == two[1]


@pytest.mark.parametrize("name", SETTINGS)
def test_argument(name):
    """An argument takes precedence over all variables of its setting."""
    environ = {variable: text for variable, (text, _) in SETTINGS[name][2].items()}
    arguments = {name: SETTINGS[name][1]}
    assert getattr(Config.resolve(arguments, environ, NOWHERE), name) == SETTINGS[name][1]


@pytest.mark.parametrize(("name", "key", "text", "value"), KEYS)
def test_profile_key(name, key, text, value):
    """If no variable is set, the profile's key determines the setting unless the key's value is
    empty.
    """
    profiles = Profiles({"default": {key: text}})
    assert getattr(Config.resolve({}, {}, profiles), name) == value
    profiles = Profiles({"default": {key: ""}})
    assert getattr(Config.resolve({}, {}, profiles), name) == SETTINGS[name][0]


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, key, *_ in KEYS if SETTINGS[name][2]]
)
def test_variable_before_profile(name, key):
    """An environment variable takes precedence over the key in the profile."""
    profiles = Profiles({"default": {key: SETTINGS[name][3][key][0]}})
    for variable, (text, value) in SETTINGS[name][2].items():
        assert getattr(Config.resolve({}, {variable: text}, profiles), name) == value


def test_profile_in_force():
    """The profile is selected by the argument or, without one, by a variable; else it is `default`."""
    profiles = Profiles({name: {"region": f"{name}-1"} for name in ("default", "one", "two")})
    assert Config.resolve({}, {}, profiles).region == "default-1"
    assert Config.resolve({}, {"AWS_PROFILE": "two"}, profiles).region == "two-1"
    assert Config.resolve({"profile": "one"}, {"AWS_PROFILE": "two"}, profiles).region == "one-1"


@pytest.mark.parametrize("arguments", [{"profile": "none"}, {}], ids=["argument", "variable"])
def test_no_such_profile(arguments):
    """If the profile that an argument or a variable selects does not exist, a ConfigError is
    raised.
    """
    with pytest.raises(ConfigError, match="profile 'none' is neither in"):
        Config.resolve(arguments, {"AWS_PROFILE": "none"}, Profiles({"default": {}}))


@pytest.mark.parametrize("services", ["none", {"s3": "x"}])
def test_no_such_services(services):
    """If the services section that a profile refers to is missing, a setting that is looked up in
    the section raises an error that mentions the profile and the section. A setting whose own
    variable is set is not affected.
    """
    profiles = Profiles({"default": {"services": services}}, {}, {"s3": {}})
    config = Config.resolve({}, {"AWS_ENDPOINT_URL_STS": "https://sts"}, profiles)
    assert config.sts_endpoint_url == "https://sts"
    with pytest.raises(ConfigError) as caught:
        _ = config.s3_endpoint_url
    says = (
        f"profile 'default' has services = {services}, but the config file has no section "
        f"[services {services}]"
    )
    assert caught.value.message == says


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
    """A service's variable takes precedence over the general variable, the latter over the
    service's section, and the section over the profile. All four are ignored if
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
    """
    config = Config.resolve({}, environ, SERVICES)
    assert (config.sts_endpoint_url, config.s3_endpoint_url) == (sts, s3)


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
    """The settings select the IPv4 address, the IPv6 address or a custom metadata endpoint."""
    assert Config(settings).metadata_endpoint == expected


def test_legacy_retries_are_standard():
    """The retry mode `legacy` is an alias of `standard`."""
    assert Config.resolve({}, {"AWS_RETRY_MODE": "legacy"}).retry_mode == "standard"


def test_malformed_profile_key():
    """The error for a malformed value in a profile mentions the value's key."""
    config = Config.resolve({}, {}, Profiles({"default": {"max_attempts": "many"}}))
    with pytest.raises(
        ConfigError, match=r"^max_attempts in profile 'default' must be a whole number"
    ):
        _ = config.max_attempts


BOOLEANS = [setting for setting in _config.SETTINGS.values() if isinstance(setting.default, bool)]


@pytest.mark.parametrize("text", ["1", "0", "yes", " true", "on", "TRUE "])
@pytest.mark.parametrize(
    ("setting", "variable"),
    [(setting, variable) for setting in BOOLEANS for variable in setting.variables],
)
def test_neither_true_nor_false(setting, variable, text, caplog):
    """A malformed boolean is false, as in botocore, and a single warning mentions the variable, but
    not its value.
    """
    config = Config.resolve({}, {variable: text})
    assert caplog.messages == []
    assert [
        getattr(config, setting.name),
        getattr(config.with_region(None), setting.name),
    ] == [False, False]
    assert caplog.messages == [f"{variable} must be true or false; using false"]
    assert ensure_boolean(text) is False


def test_neither_true_nor_false_in_the_profile(caplog):
    """A malformed boolean in a profile is false, and the warning mentions the key and the profile."""
    profiles = Profiles({"default": {"use_fips_endpoint": "maybe"}})
    assert Config.resolve({}, {}, profiles).use_fips_endpoint is False
    says = "use_fips_endpoint in profile 'default' must be true or false; using false"
    assert caplog.messages == [says]


def test_a_setting_is_looked_up_when_it_is_needed():
    """A malformed setting raises an error only when the setting is used.

    Later changes of the environment have no effect.
    """
    environ = {variable: "\0malformed" for _, variable, *_ in VARIABLES}
    environ |= {"AWS_DEFAULT_PROFILE": "", "AWS_PROFILE": "", "AWS_REGION": "eu-west-1"}
    config = Config.resolve({"max_attempts": 2, "retry_mode": "standard"}, environ)
    environ["AWS_REGION"] = "eu-west-2"
    assert (config.region, config.max_attempts) == ("eu-west-1", 2)
    elsewhere = config.with_region("eu-west-3")
    assert (elsewhere.region, elsewhere.max_attempts) == ("eu-west-3", 2)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"^AWS_METADATA_SERVICE_NUM_ATTEMPTS must be "):
            _ = config.metadata_service_num_attempts


@pytest.mark.parametrize("name", ["use_fips_endpoint", "use_dualstack_endpoint"])
def test_false_argument(name):
    """If an argument is False, it takes precedence over a variable that is true."""
    (variable,) = SETTINGS[name][2]
    assert getattr(Config.resolve({name: False}, {variable: "true"}), name) is False
    assert getattr(Config.resolve({}, {variable: "False"}), name) is False


def test_argument_spares_a_malformed_variable():
    """If a setting is passed as an argument, a malformed variable for that setting is ignored."""
    assert Config.resolve({"max_attempts": 2}, {"AWS_MAX_ATTEMPTS": "many"}).max_attempts == 2


@pytest.mark.parametrize(
    ("name", "variable", "text"),
    [
        ("max_attempts", "AWS_MAX_ATTEMPTS", "0"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "-1"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "3.0"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "many"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "²"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "1" * 5000),
        ("metadata_service_timeout", "AWS_METADATA_SERVICE_TIMEOUT", "0"),
        ("metadata_service_timeout", "AWS_METADATA_SERVICE_TIMEOUT", "long"),
        ("metadata_service_timeout", "AWS_METADATA_SERVICE_TIMEOUT", "nan"),
        ("retry_mode", "AWS_RETRY_MODE", "none"),
        ("sts_regional_endpoints", "AWS_STS_REGIONAL_ENDPOINTS", "global"),
    ],
    ids=lambda text: text[:30],
)
def test_malformed_variable(name, variable, text):
    """The error for a malformed environment variable mentions the variable."""
    config = Config.resolve({}, {variable: text})
    with pytest.raises(ConfigError, match=f"^{variable} "):
        getattr(config, name)


@pytest.mark.parametrize("number", [1, 999, 1000, 10**9])
def test_attempts(number):
    """Any positive whole number is valid as max_attempts in an argument, a variable and a profile."""
    profiles = Profiles({"default": {"max_attempts": f"{number}"}})
    given = [Config.resolve({"max_attempts": number}, {})]
    given += [
        Config.resolve({}, {"AWS_MAX_ATTEMPTS": f"{number}"}),
        Config.resolve({}, {}, profiles),
    ]
    assert [config.max_attempts for config in given] == [number] * 3


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
        ("retry_mode", "none"),
        ("sts_regional_endpoints", "global"),
        ("request_checksum_calculation", "always"),
        ("response_checksum_validation", "never"),
    ],
)
def test_malformed_argument(name, value):
    """The error for a malformed argument mentions the argument."""
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
    """The words that a setting accepts are case-insensitive in arguments."""
    assert getattr(Config.resolve({name: value}, {}), name) == meant


@pytest.mark.parametrize(("text", "ignored"), [("true", True), ("TRUE", True), ("false", False)])
def test_ignored_endpoint_urls(text, ignored):
    """AWS_IGNORE_CONFIGURED_ENDPOINT_URLS disables the URLs in variables, but not in arguments."""
    environ = {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": text,
        "AWS_ENDPOINT_URL": "https://all",
        "AWS_ENDPOINT_URL_S3": "https://s3",
        "AWS_REGION": "eu-west-1",
    }
    config = Config.resolve({}, environ)
    expected = (None, None) if ignored else ("https://all", "https://s3")
    assert (config.endpoint_url, config.s3_endpoint_url) == expected
    assert config.region == "eu-west-1"
    config = Config.resolve({"endpoint_url": "https://argument"}, environ)
    assert config.endpoint_url == "https://argument"


def test_no_region():
    """If no region is set, the error explains how to set one."""
    with pytest.raises(
        ConfigError, match=r"pass region= to the client, set AWS_REGION, or set region in profile"
    ):
        _ = Config().endpoints


def test_what_others_take_from_it():
    """A configuration's retry policy takes over max_attempts, and by default retry_ambiguous=True."""
    assert Config({"max_attempts": 4}).retry_policy == RetryPolicy(4, retry_ambiguous=True)


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
    """The error for an argument of the wrong type mentions the argument."""
    with pytest.raises(ConfigError, match=f"{name} must be of type"):
        Config.resolve({name: value}, {})
