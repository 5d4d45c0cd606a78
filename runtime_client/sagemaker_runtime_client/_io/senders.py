"""Who sends to an origin: the pool of our own or, where the environment names a proxy, httpx's client."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any

from .._errors import ConfigError
from .generation import importing
from .httpx_bridge import time_left
from .message import TransportOptions
from .tls import tls_context, trusts

# A proxy's scheme, what is secret in its address, and where it is.
_parts_of_proxy = re.compile(
    r"([a-z0-9+.-]+://)(.*@)?([\w.-]+|\[[\w:.]+\])(:\d+)?/?", re.IGNORECASE
).fullmatch
_POOL = ("", "")


class Senders:
    """
    What was opened to send with: the pool, and a client for each proxy.

    Each is made when it is first needed; of two threads the first wins.  After `close` too, but then no
    connection is kept after its request: a call may still be under way, and nobody would close it.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], Any] = {}  # by scheme and proxy; without both, the pool
        self._proxies: dict[str, str] = {}  # by origin; none is the empty string
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many senders there are."""
        return len(self._opened)

    def choose(
        self,
        pool: str,
        client: Callable[..., Any],
        origin: str,
        options: TransportOptions,
        *,
        direct: bool,
    ) -> tuple[Any, Any]:
        """
        Return the pool and None; or None and the client, where the environment has a proxy for *origin*.

        An agent of this machine is spoken to *direct*, whatever the environment says.
        """
        key = _POOL if direct else self._key(origin)
        if key != _POOL:
            found = self._opened.get(key)
            if found is None:
                made = _proxied_client(client, *key, options, self._limits(options))
                found = self._opened.setdefault(key, made)
            return None, found
        found = self._opened.get(_POOL)
        if found is None:
            from . import pooled_transport

            limits = self._limits(options)
            made = getattr(pooled_transport, pool)(verify=trusts(options.ca_bundle), limits=limits)
            found = self._opened.setdefault(_POOL, made)
            if self._is_closed:  # perhaps in the meantime, by a signal handler or another thread
                found.close_idle()
        return found, None

    def loads_tls(self, origin: str) -> bool:
        """Tell whether `choose` is going to read the CA bundle, for a client that is to be opened."""
        key = self._key(origin)
        return key != _POOL and key not in self._opened and origin.startswith("https:")

    def _key(self, origin: str) -> tuple[str, str]:
        """Return under which key there is what sends to *origin*."""
        if origin not in self._proxies:
            self._proxies[origin] = _proxy_for(origin)
        proxy = self._proxies[origin]
        return (origin.partition(":")[0], proxy) if proxy else _POOL

    def close(self) -> list[Any]:
        """Keep no connections from now on; return what is to be closed."""
        self._is_closed = True
        opened, self._opened = self._opened, {}
        return list(opened.values())

    def _limits(self, options: TransportOptions) -> Any:
        """Return how many connections there may be."""
        return import_module("httpx").Limits(
            max_connections=options.max_connections,
            # httpcore's pool compares this with all connections, so a smaller one closes busy pools.
            max_keepalive_connections=0 if self._is_closed else options.max_connections,
            keepalive_expiry=5.0,
        )


def _proxy_for(origin: str) -> str:
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


def _proxied_client(
    client: Callable[..., Any], scheme: str, proxy: str, options: TransportOptions, limits: Any
) -> Any:
    """Return a client that sends to origins of a scheme through *proxy*."""
    verify = False if scheme == "http" else tls_context(options.ca_bundle)
    try:
        return client(verify=verify, limits=limits, proxy=proxy, trust_env=False)
    except ImportError:
        why = "pip install httpx[socks] for it"
    except (import_module("httpx").InvalidURL, ValueError):
        # What httpx says of it may be a part of the password.
        why = "write http://host:port, https://host:port or socks5://host:port"
    found = _parts_of_proxy(proxy)
    address = f" {found[1]}{found[3]}{found[4] or ''}" if found else ""
    raise ConfigError(f"the proxy{address} in {scheme.upper()}_PROXY cannot be used: {why}")


def slot_of(pool: Any, options: TransportOptions, deadline: float | None) -> Any:
    """
    Return a context that waits for a connection of the pool; of no pool, one that does nothing.

    Those in front have a request each, so the wait is not given up before one of theirs would be.
    """
    if pool is None:
        return nullcontext()
    return pool.slot(min(options.connect_timeout + options.read_timeout, time_left(deadline)))
