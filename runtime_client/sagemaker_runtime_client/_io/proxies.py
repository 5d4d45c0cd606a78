"""Which proxy a request goes through, if any, and a client of httpx that sends through it."""

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import ConfigError
from .generation import importing
from .tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx import AsyncClient, Client

# The scheme of a proxy's address, what is secret in it, and its host and port.  `re` compiles it where it
# is used: a first call has no time for that.
_ADDRESS = r"([a-z0-9+.-]+://)(.*@)?([\w.-]+|\[[\w:.]+\])(:\d+)?/?"


def get_proxy(origin: str) -> str:
    """
    Return the address of the proxy that the environment has for *origin*; empty without one.

    As in boto3 it is that of the origin's own scheme, never ALL_PROXY, and NO_PROXY is compared as text;
    an IPv6 host is found in it without its brackets, too.

    Source: botocore 1.44, utils.py, get_environ_proxies; httpsession.py, ProxyConfiguration.
    """
    with importing():
        from urllib.parse import urlsplit
        from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(origin)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.netloc) or proxy_bypass(parts.hostname or ""):
        return ""
    return proxy if "://" in proxy else f"http://{proxy.removeprefix('//')}"


def make_proxied_client(
    kind: str,
    scheme: str,
    proxy: str,
    *,
    ca_bundle: str | None,
    max_connections: int,
    max_idle: int,
) -> "Client | AsyncClient":
    """
    Return a client of httpx that sends through a proxy.

    Args:
        kind: Its class: ``Client`` or ``AsyncClient``.
        scheme: Of the origins that it sends to.
        proxy: The address of the proxy.
        ca_bundle: As for `tls_context`.
        max_connections: How many connections there may be at once.
        max_idle: How many of them may be idle.
    """
    httpx = import_module("httpx")
    limits = httpx.Limits(
        max_connections=max_connections,
        # httpcore's pool compares this with all connections, so that a smaller one closes busy pools.
        max_keepalive_connections=max_idle,
        keepalive_expiry=5.0,
    )
    verify = False if scheme == "http" else tls_context(ca_bundle)
    make: Callable[..., Client | AsyncClient] = getattr(httpx, kind)
    try:
        return make(verify=verify, limits=limits, proxy=proxy, trust_env=False)
    except ImportError:
        advice = "run pip install 'httpx[socks]'"
    except (httpx.InvalidURL, ValueError):
        # What httpx says of it may be a part of the password.
        advice = "use http://host:port, https://host:port or socks5://host:port"
    found = re.fullmatch(_ADDRESS, proxy, re.IGNORECASE)
    address = f" {found[1]}{found[3]}{found[4] or ''}" if found else ""
    raise ConfigError(f"the proxy{address} in {scheme.upper()}_PROXY cannot be used: {advice}")


class Proxy(NamedTuple):
    """
    The proxy that a client uses for a URL.

    Attributes:
        address: Scheme, host and port, without its password; empty without a proxy.
        forwards: Whether it is one of HTTP, and reads the requests' lines.
    """

    address: str = ""
    forwards: bool = False


def get_client_proxy(client: Any, url: object) -> Proxy:
    """Return the proxy to which *client* sends what is for *url*."""
    pool = getattr(client._transport_for_url(url), "_pool", None)  # noqa: SLF001
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None:
        return Proxy()
    kind = type(pool).__name__  # in httpcore, HTTPProxy and SOCKSProxy, and the same with Async
    return Proxy(f"{proxy.scheme.decode()}://{proxy.host.decode()}:{proxy.port}", "HTTP" in kind)
