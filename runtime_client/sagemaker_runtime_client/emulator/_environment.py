"""Environment variables that must be unset or set so that a client uses the emulator."""

from collections.abc import Mapping

from sigv4 import Credentials

# Variables to unset.  They could select other credentials, settings or endpoints than those of the
# emulator, or make a client combine the emulator's key with a foreign session token.
CONFLICTING_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL",
)
# A profile may change these settings.  The environment variables override the profile.
RESET_VARIABLES = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "AWS_USE_DUALSTACK_ENDPOINT": "false",
}


def client_variables(url: str, region: str, credentials: Credentials) -> dict[str, str]:
    """Return environment variables that make AWS SDKs such as boto3 use the emulator."""
    services = ("SAGEMAKER_RUNTIME", "SAGEMAKER_INFERENCE_ROUTER_RUNTIME", "S3", "SNS", "SQS")
    token = credentials.session_token
    return {
        **{f"AWS_ENDPOINT_URL_{service}": url for service in services},
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **RESET_VARIABLES,
        **({} if token is None else {"AWS_SESSION_TOKEN": token}),
    }


def no_proxy(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """Return environment variables that exclude *host* from proxies.

    They also exclude the hosts that *environ* excludes.  Both ``NO_PROXY`` and ``no_proxy`` are
    set, because urllib and httpx prefer ``no_proxy``.
    """
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [name.strip() for name in known.split(",") if name.strip()]
    if not {host, "*"} & set(hosts):
        hosts.append(host)
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
