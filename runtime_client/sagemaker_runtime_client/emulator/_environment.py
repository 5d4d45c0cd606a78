"""Environment variables that would keep a client from using the emulator."""

from collections.abc import Mapping

# Each of these overrides a variable that the emulator sets, or would be combined with the
# emulator's keys although it belongs to other credentials.  Both botocore and this package's client
# read them.
CONFLICTING_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL",
)
# The user's profile may contain these settings; environment variables override the profile.
RESET_VARIABLES = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "AWS_USE_DUALSTACK_ENDPOINT": "false",
}


def no_proxy(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the proxy exclusions in *environ*, with *host* added to them.

    Both spellings are set, because urllib and httpx prefer the one in lower case.
    """
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [name.strip() for name in known.split(",") if name.strip()]
    if not {host, "*"} & set(hosts):
        hosts.append(host)
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
