"""Environment variables that must be unset or set so that a client uses the emulator."""

from collections.abc import Mapping

# Variables to unset, which both botocore and this package's client read.  Each one overrides a
# variable that the emulator sets, or belongs to other credentials but would be combined with the
# emulator's key.
CONFLICTING_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL",
)
# A profile may enable these settings; the environment variables override the profile.
RESET_VARIABLES = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "AWS_USE_DUALSTACK_ENDPOINT": "false",
}


def no_proxy(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """Return variables that exclude *host*, and the hosts excluded in *environ*, from proxies.

    Both ``NO_PROXY`` and ``no_proxy`` are set, because urllib and httpx prefer ``no_proxy``.
    """
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [name.strip() for name in known.split(",") if name.strip()]
    if not {host, "*"} & set(hosts):
        hosts.append(host)
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
