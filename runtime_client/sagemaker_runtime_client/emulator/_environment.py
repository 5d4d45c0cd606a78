"""What in an environment would lead a client past the emulator."""

from collections.abc import Mapping

# Each would win over a variable that the emulator names, or go with its keys although it belongs to
# others.  Both botocore and our client look at them.
IN_THE_WAY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL",
)
# Each may also stand in the developer's own profile, over which a variable wins.
TAKEN_BACK = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "AWS_USE_DUALSTACK_ENDPOINT": "false",
}


def no_proxy(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """
    Return the variables by which requests to *host* go past a proxy, as others do already.

    Under either name: the one in lower case wins with urllib and httpx, where it is set.
    """
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [name.strip() for name in known.split(",") if name.strip()]
    if not {host, "*"} & set(hosts):
        hosts.append(host)
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
