"""`Context`: settings, shared files, and the transport that is made from them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from .._io.httpx_bridge import HTTPClient, get_library
from .._io.on_threads import sync_backend
from .._io.system import System
from .._io.transport import Transport
from .config import Config
from .profiles import Profiles, read_profiles

if TYPE_CHECKING:
    from .._io.concurrency import Backend

MFAToken = Callable[[str], str | Awaitable[str]]
KeyPassphrase = Callable[[str], str | Awaitable[str]]
OpenTransport = Callable[[Config], Transport]


class Context(NamedTuple):
    """
    What services and providers of credentials work with.

    Attributes:
        system: Variables, files, processes, clocks.
        transport: What sends requests.
        config: The settings: region, FIPS, dual-stack, endpoint URLs, time limits.
        profiles: The shared files, parsed.
        profile: The name of the profile in force.
        explicit: Whether that profile was named by an argument, which then wins over the
            environment's keys.
        mfa_token: Takes an MFA device's serial number and returns the code that it shows.
        key_passphrase: Takes the path of a private key and returns the passphrase that decrypts it.
    """

    system: System
    transport: Transport
    config: Config
    profiles: Profiles
    profile: str = "default"
    explicit: bool = False
    mfa_token: MFAToken | None = None
    key_passphrase: KeyPassphrase | None = None


def transport_opener(
    backend: "Callable[[], Backend]", http_client: HTTPClient | None
) -> OpenTransport:
    """
    Return what makes the transport, once the settings are known.

    Args:
        backend: How the transport's users wait.
        http_client: A client of httpx or httpx2 that is to be used.

    Raises:
        ConfigError: The client is not of the class that goes with *backend*.
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
    """
    Read the shared files, find out the settings, and make the transport from them.

    Args:
        system: Where the files and variables are.
        open_transport: Makes the transport.
        arguments: The settings that the caller gave, by name; None leaves one to the others.
        mfa_token: As for `Context`.
        key_passphrase: As for `Context`.

    Raises:
        ConfigError: A file or a setting is malformed.
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
