"""The context of service clients and credential providers, and the functions that create it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from .._io.httpx_bridge import HTTPClient, get_library
from .._io.on_threads import sync_backend
from .._io.system import System
from .._io.transport import Transport
from .._value import Value
from .config import Config
from .profiles import Profiles, read_profiles

if TYPE_CHECKING:
    from .._io.concurrency import Backend

MFAToken = Callable[[str], str | Awaitable[str]]
KeyPassphrase = Callable[[str], str | Awaitable[str]]
OpenTransport = Callable[[Config], Transport]


class Context(Value):
    """The objects that service clients and credential providers use, such as the transport.

    Attributes:
        system: Provides environment variables, files, processes and clocks.
        transport: Sends HTTP requests.
        config: The settings, such as region, endpoint URLs and time limits.
        profiles: The parsed shared files.
        profile: The name of the profile in use.
        explicit: Whether an argument specified the profile.  An explicit profile takes precedence
            over credentials in environment variables.
        mfa_token: A function that receives the serial number of an MFA device and returns the code
            that the device shows; None if no such function was passed.
        key_passphrase: A function that receives the path of an encrypted private key and returns
            its passphrase; None if no such function was passed.
    """

    __slots__ = __match_args__ = (
        "system",
        "transport",
        "config",
        "profiles",
        "profile",
        "explicit",
        "mfa_token",
        "key_passphrase",
    )

    system: System
    transport: Transport
    config: Config
    profiles: Profiles
    profile: str
    explicit: bool
    mfa_token: MFAToken | None
    key_passphrase: KeyPassphrase | None

    def __init__(
        self,
        system: System,
        transport: Transport,
        config: Config,
        profiles: Profiles,
        profile: str = "default",
        explicit: bool = False,
        mfa_token: MFAToken | None = None,
        key_passphrase: KeyPassphrase | None = None,
    ) -> None:
        self.system = system
        self.transport = transport
        self.config = config
        self.profiles = profiles
        self.profile = profile
        self.explicit = explicit
        self.mfa_token = mfa_token
        self.key_passphrase = key_passphrase


def configure_log(environ: Mapping[str, str]) -> None:
    """Write log messages to stderr if the environment variable ``SAGEMAKER_RUNTIME_LOG`` is set."""
    if level := environ.get("SAGEMAKER_RUNTIME_LOG"):
        from .._io.stderr_log import log_to_stderr

        log_to_stderr(level)


def transport_opener(
    backend: Callable[[], Backend], http_client: HTTPClient | None
) -> OpenTransport:
    """Return a function that creates the transport from the settings.

    Args:
        backend: Returns the concurrency backend of the transport.
        http_client: A user-supplied httpx or httpx2 client, or None.

    Raises:
        ConfigError: *http_client* is of the wrong class for *backend*.
    """
    if http_client is not None:
        get_library(http_client, "Client" if backend is sync_backend else "AsyncClient")

    def open_transport(config: Config) -> Transport:
        return Transport(
            backend,
            http_client,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            max_connections=config.max_connections,
            ca_bundle=config.ca_bundle,
        )

    return open_transport


async def load_context(
    system: System,
    open_transport: OpenTransport,
    arguments: Mapping[str, object],
    mfa_token: MFAToken | None = None,
    key_passphrase: KeyPassphrase | None = None,
) -> Context:
    """Read the shared files, resolve the settings and create the transport.

    Args:
        system: Provides the environment variables and the files.
        open_transport: Creates the transport from the settings.
        arguments: The caller's settings, keyed by name.  None means that the other sources
            determine the setting.
        mfa_token: See `Context`.
        key_passphrase: See `Context`.

    Raises:
        ConfigError: A shared file cannot be read, the explicitly chosen profile does not exist, or
            a setting is malformed.
    """
    profiles = await read_profiles(system)
    config = Config.resolve(arguments, system.environ, profiles)
    return Context(
        system,
        open_transport(config),
        config,
        profiles,
        config.profile,
        arguments.get("profile") is not None,
        mfa_token,
        key_passphrase,
    )
