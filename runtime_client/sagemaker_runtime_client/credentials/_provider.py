"""
What a provider of credentials is, and what it is given to work with.

``None`` means "not configured here": the next provider is asked.  An error means "configured and
broken": it ends the search, and names the provider, the profile, the file or the variable, and
what to do.  Nothing in it is secret.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sigv4 import Credentials

from .._errors import CredentialProviderError
from .._io.system import IO
from .._settings.config import Config
from .._settings.profiles import Profiles, Section, read_profiles

MFAToken = Callable[[str], str | Awaitable[str]]
KeyPassphrase = Callable[[str], str | Awaitable[str]]


class Context(NamedTuple):
    """
    What providers work with.

    Attributes:
        io: The outside world: variables, files, processes, requests, clocks.
        config: The settings: region, FIPS, dual-stack, endpoints of one's own, time limits.
        profiles: The shared files, parsed.
        profile: The name of the profile in force.
        explicit: Whether that profile was named by an argument, which then wins over the
            environment's keys.
        mfa_token: Takes an MFA device's serial number and returns the code that it shows.
        key_passphrase: Takes the path of a private key and returns the passphrase that decrypts it.
    """

    io: IO
    config: Config
    profiles: Profiles
    profile: str = "default"
    explicit: bool = False
    mfa_token: MFAToken | None = None
    key_passphrase: KeyPassphrase | None = None

    @classmethod
    async def load(
        cls,
        io: IO,
        arguments: Mapping[str, Any],
        mfa_token: MFAToken | None = None,
        key_passphrase: KeyPassphrase | None = None,
    ) -> "Context":
        """
        Read the shared files and find out the settings.

        Args:
            io: The outside world.
            arguments: The settings that the caller gave, by name; None leaves one to the others.
            mfa_token: As above.
            key_passphrase: As above.

        Raises:
            ConfigError: A file or a setting is malformed.
        """
        profiles = await read_profiles(io)
        config = Config.resolve(arguments, io.environ, profiles)
        explicit = arguments.get("profile") is not None
        return cls(io, config, profiles, config.profile, explicit, mfa_token, key_passphrase)


class Provider:
    """
    A base class for what finds credentials in one place: it has settings, and errors that name it.

    Attributes:
        context: What it works with.
        name: What messages and `credentials` on the command line call it, such as ``environment``.
        system: The outside world: variables, files, processes, clocks.
    """

    def __init__(self, context: Context, name: str) -> None:
        self.context = context
        self.name = name
        self.system = context.io

    async def load(self) -> Credentials | None:
        """
        Return credentials, fetched now, or None if this provider is not configured.

        Raises:
            CredentialProviderError: It is configured, and failed.
        """
        raise NotImplementedError  # pragma: no cover (each provider has its own)

    @property
    def section(self) -> Section:
        """The settings of the profile in force; empty if there is no such profile."""
        return self.context.profiles.profiles.get(self.context.profile, {})

    def setting(self, key: str) -> str | None:
        """Return a setting of the profile in force, as `text_setting` does."""
        return text_setting(self.section, key)

    def variable_or_setting(self, variable: str, key: str) -> str | None:
        """Return a variable, or else a setting; a profile that an argument names hides variables."""
        text = None if self.context.explicit else self.system.environ.get(variable)
        return text or self.setting(key)

    def failure(self, message: str, *, retryable: bool = False) -> CredentialProviderError:
        """Return the error of this provider."""
        error = CredentialProviderError(message, provider=self.name)
        error.retryable = retryable
        return error


def text_setting(section: Section, key: str) -> str | None:
    """Return the text of *key*; None if it is absent, empty or has settings nested in it."""
    value = section.get(key)
    return value if isinstance(value, str) and value else None
