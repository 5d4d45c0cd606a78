"""Messages about settings: client arguments, environment variables and the shared config files."""

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import parse_profiles, read_profiles
from tests.runtime_client.scripted_io import ScriptedIO, run

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/_settings",)


def value(name, *, argument=None, environ=(), config=""):
    """Look up the setting *name*, and return its value."""
    arguments = {} if argument is None else {name: argument}
    profiles = parse_profiles(("/home/u/.aws/config", config))
    return getattr(Config.resolve(arguments, dict(environ), profiles), name)


def read(content):
    """Read a config file; *content* is its content, or an error that occurs while it is read."""
    io = ScriptedIO(
        files={"/home/u/config": content}, environ={"AWS_CONFIG_FILE": "/home/u/config"}
    )
    return run(read_profiles(io))


MESSAGES = [
    # Arguments of a client's constructor.
    (
        lambda: SageMakerRuntimeClient("eu-west-1"),
        "SageMakerRuntimeClient accepts keyword arguments only, such as region='eu-west-1'",
    ),
    (
        lambda: SageMakerRuntimeClient(regoin="eu-west-1"),
        "SageMakerRuntimeClient got unexpected argument regoin",
    ),
    (
        lambda: AsyncSageMakerRuntimeClient(region_name="eu-west-1", verify=False),
        (
            "AsyncSageMakerRuntimeClient got unexpected arguments region_name, verify; "
            "use region instead of region_name; use ca_bundle instead of verify"
        ),
    ),
    (
        lambda: SageMakerRuntimeClient().with_options(timeout=5, regoin="eu-west-1"),
        "SageMakerRuntimeClient.with_options() got unexpected argument regoin",
    ),
    (
        lambda: AsyncSageMakerRuntimeClient().with_options(region="eu-west-1", profile="work"),
        (
            "AsyncSageMakerRuntimeClient.with_options() cannot change profile, region, because both "
            "clients share connections, credentials and retry quotas: create a new "
            "AsyncSageMakerRuntimeClient instead"
        ),
    ),
    # Values of settings.
    (
        lambda: value("region", argument=1),
        "region must be of type str, not int",
    ),
    (
        lambda: value("allowed_locations", argument="s3://bucket"),
        "allowed_locations must be of type list or tuple, not str",
    ),
    (
        lambda: value("allowed_locations", argument=[]),
        "allowed_locations must contain at least one location, such as s3://bucket/prefix/",
    ),
    (
        lambda: value("allowed_locations", argument=["s3://bucket", "s3://bucket/prefix"]),
        (
            "allowed_locations must contain locations of the forms s3://bucket and "
            "s3://bucket/prefix/, but item 2 has neither form"
        ),
    ),
    (
        lambda: value("expected_bucket_owner", argument="1"),
        "expected_bucket_owner must be an AWS account id, which has 12 digits",
    ),
    (
        lambda: value("retry_mode", argument="fast"),
        "retry_mode must be one of standard, adaptive",
    ),
    (
        lambda: value("max_attempts", environ={"AWS_MAX_ATTEMPTS": "0"}),
        "AWS_MAX_ATTEMPTS must be a whole number of at least 1",
    ),
    (
        lambda: value("timeout", argument=0.0),
        "timeout must be a number of seconds above 0 and up to 1,000,000",
    ),
    (
        lambda: value("max_attempts", config="[default]\nmax_attempts = many"),
        "max_attempts in profile 'default' must be a whole number of at least 1",
    ),
    (
        lambda: value("use_fips_endpoint", environ={"AWS_USE_FIPS_ENDPOINT": "yes"}),
        "AWS_USE_FIPS_ENDPOINT must be true or false; using false",
    ),
    (
        lambda: value("app_id", argument="a" * 51),
        "app_id is longer than 50 characters; AWS may truncate it",
    ),
    (
        lambda: Config.resolve({"profile": "dev"}, {}).endpoints,
        (
            "profile 'dev' is neither in the config file nor in the credentials file: correct the name, "
            "or add the profile with aws configure (profiles in these files: none)"
        ),
    ),
    (
        lambda: Config.resolve({}, {}).endpoints,
        (
            "no region is configured: pass region= to the client, set AWS_REGION, or set region in "
            "profile 'default'"
        ),
    ),
    (
        lambda: value("endpoint_url", config="[default]\nservices = local"),
        (
            "profile 'default' has services = local, but the config file has no section "
            "[services local]"
        ),
    ),
    # Content of the shared files.
    (
        lambda: read(b"\xff"),
        "/home/u/config is not valid UTF-8; save it in this encoding",
    ),
    (
        lambda: read(PermissionError(13, "Permission denied")),
        "/home/u/config cannot be read: Permission denied",
    ),
    (
        lambda: read("[profile my profile]"),
        (
            "/home/u/config, line 1 was ignored: the heading must have the form [profile NAME]; quote "
            "a name that contains spaces"
        ),
    ),
    (
        lambda: read("[default"),
        "/home/u/config, line 1 was ignored: a section heading must end with ]",
    ),
    (
        lambda: read("region = eu-west-1"),
        (
            "/home/u/config, line 1 was ignored: a setting must be below a section heading such as "
            "[default]"
        ),
    ),
    (
        lambda: read("[default]\nregion"),
        "/home/u/config, line 2 was ignored: a setting must have the form name = value",
    ),
]
