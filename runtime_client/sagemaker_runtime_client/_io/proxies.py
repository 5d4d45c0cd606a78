"""Finds the proxy for a request, and creates httpx clients that send through it."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .._value import Value
from .generation import importing
from .tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx import AsyncClient, Client

# The parts of a proxy address: scheme, user and password, host, and port.  The pattern is compiled
# only where it is used, because compiling it would delay the first call.
_ADDRESS = r"([a-z0-9+.-]+://)(.*@)?([\w.-]+|\[[\w:.]+\])(:\d+)?/?"


def get_proxy(origin: str) -> str:
    """Return the address of the environment's proxy for *origin*, or an empty string.

    As in boto3, only the proxy for the scheme of the origin is used, never ALL_PROXY.  The entries
    of NO_PROXY are compared as text with the host of the origin, both with and without the port.
    An entry for an IPv6 host may omit the brackets.

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
) -> Client | AsyncClient:
    """Create an httpx client that sends through a proxy.

    Args:
        kind: The name of the client's class, ``Client`` or ``AsyncClient``.
        scheme: The scheme of the origins to which the client sends.
        proxy: The address of the proxy.
        ca_bundle: The path of the certificates to trust, as for `tls_context`.
        max_connections: The maximum number of connections.
        max_idle: The maximum number of idle connections.

    Raises:
        ConfigError: The address of the proxy is malformed, or the package for SOCKS proxies is not
            installed.
    """
    httpx = import_module("httpx")
    limits = httpx.Limits(
        max_connections=max_connections,
        # httpcore closes an idle connection if this limit is less than the number of all its
        # connections, busy ones included.  Therefore a limit below max_connections would also close
        # connections that a busy pool could use again.
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
        # httpx's message may contain a part of the password, so it is not shown.
        advice = "use http://host:port, https://host:port or socks5://host:port"
    found = re.fullmatch(_ADDRESS, proxy, re.IGNORECASE)
    address = f" {found[1]}{found[3]}{found[4] or ''}" if found else ""
    raise ConfigError(f"the proxy{address} in {scheme.upper()}_PROXY cannot be used: {advice}")


class Proxy(Value):
    """The proxy that a client uses for a URL.

    Attributes:
        address: The scheme, host and port, without user name and password; empty if there is no
            proxy.
        forwards: Whether the proxy is an HTTP proxy and not a SOCKS proxy.
    """

    __slots__ = __match_args__ = (
        "address",
        "forwards",
    )

    address: str
    forwards: bool

    def __init__(
        self,
        address: str = "",
        forwards: bool = False,
    ) -> None:
        self.address = address
        self.forwards = forwards


def get_client_proxy(client: Any, url: object) -> Proxy:
    """Return the proxy through which *client* sends requests for *url*."""
    pool = getattr(client._transport_for_url(url), "_pool", None)  # noqa: SLF001
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None:
        return Proxy()
    # The class is httpcore's HTTPProxy, SOCKSProxy, AsyncHTTPProxy or AsyncSOCKSProxy.
    kind = type(pool).__name__
    return Proxy(f"{proxy.scheme.decode()}://{proxy.host.decode()}:{proxy.port}", "HTTP" in kind)
