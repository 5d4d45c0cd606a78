"""Environment variables that would keep a client from using the emulator."""

from collections.abc import Mapping

# Each of these has precedence over a variable that the emulator sets, or would be combined with the
# emulator's keys although it belongs to others.  Both botocore and our client read them.
CONFLICTING_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL",
)
# These may also be set in the user's profile, over which an environment variable has precedence.
RESET_VARIABLES = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "AWS_USE_DUALSTACK_ENDPOINT": "false",
}


def no_proxy(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """
    Return the variables that exclude *host*, and the hosts already excluded, from proxying.

    Both spellings are set, because urllib and httpx prefer the one in lower case.
    """
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [name.strip() for name in known.split(",") if name.strip()]
    if not {host, "*"} & set(hosts):
        hosts.append(host)
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
