"""Who sends to an origin: the pool of our own or, where the environment names a proxy, httpx's client."""

from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any

from ._errors import ConfigError
from ._http import TransportOptions
from ._message import proxy_for, time_left
from ._tls import tls_context, trusts


def senders(
    own: dict[str, Any],
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

    Both are made when they are first needed, and kept in *own*.  Of two threads the first wins.
    """
    if not direct:
        scheme = origin.partition(":")[0]
        if scheme not in own:
            own.setdefault(scheme, _proxied_client(client, scheme, options))
        proxied = own[scheme]
        if proxied is not None and is_proxied(proxied, origin):
            return None, proxied
    if "pool" not in own:
        from . import _pool

        made = getattr(_pool, pool)(verify=trusts(options.ca_bundle), limits=_limits(options))
        own.setdefault("pool", made)
    return own["pool"], None


def _proxied_client(
    client: Callable[..., Any], scheme: str, options: TransportOptions
) -> Any | None:
    """Return a client that reads the environment for its proxies; None if it would find none."""
    from urllib.request import getproxies  # which is what httpx asks

    if getproxies().keys().isdisjoint(("all", scheme)):
        return None
    verify = False if scheme == "http" else tls_context(options.ca_bundle)
    try:
        return client(verify=verify, limits=_limits(options))
    except ImportError:
        raise ConfigError(
            "a SOCKS proxy is in the environment: pip install httpx[socks] for it"
        ) from None
    except (import_module("httpx").InvalidURL, ValueError) as error:
        # What it says may be a part of the proxy's password.
        raise ConfigError(
            f"a proxy in the environment is malformed: {type(error).__name__}"
        ) from None


def is_proxied(client: Any, origin: str) -> bool:
    """Tell whether *client* has a proxy for *origin*; NO_PROXY may have taken it out."""
    return proxy_for(client, import_module("httpx").URL(origin)) is not None


def _limits(options: TransportOptions) -> Any:
    """Return how many connections there may be."""
    return import_module("httpx").Limits(
        max_connections=options.max_connections,
        # httpcore's pool compares this with all connections, so a smaller one closes busy pools.
        max_keepalive_connections=options.max_connections,
        keepalive_expiry=5.0,
    )


def slot_of(pool: Any, options: TransportOptions, deadline: float | None) -> Any:
    """
    Return a context that waits for a connection of the pool; of no pool, one that does nothing.

    Those in front have a request each, so the wait is not given up before one of theirs would be.
    """
    if pool is None:
        return nullcontext()
    return pool.slot(min(options.connect_timeout + options.read_timeout, time_left(deadline)))
