"""Environment variables that must be unset or set so that a client uses the emulator."""

from collections.abc import Mapping

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
