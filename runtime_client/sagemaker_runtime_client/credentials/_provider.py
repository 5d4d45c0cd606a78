"""
What a provider of credentials is, and what it is given to work with.

``None`` means "not configured here": the next provider is asked.  An error means "configured and
broken": it ends the search, and names the provider, the profile, the file or the variable, and
what to do.  Nothing in it is secret.
"""

from collections.abc import Mapping

from sigv4 import Credentials

from .._errors import CredentialProviderError
from .._settings.context import Context
from .._settings.profiles import Section


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
        self.system = context.system

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


def text_setting(section: Mapping[str, object], key: str) -> str | None:
    """Return the text of *key*; None if it is absent, empty or has settings nested in it."""
    value = section.get(key)
    return value if isinstance(value, str) and value else None
