"""The base class of credential providers.

A provider that returns ``None`` is not configured, and the chain tries the next one.  A provider
that raises an error is configured but broken, and the search ends.  The error mentions the provider
and the profile, file or variable, and states how to fix the problem.  Error messages contain no
secrets.
"""

from __future__ import annotations

from collections.abc import Mapping

from sigv4 import Credentials

from .._errors import CredentialProviderError
from .._settings.context import Context
from .._settings.profiles import Section


class Provider:
    """The base class of providers, each of which loads credentials from one kind of source.

    Attributes:
        context: The settings, the shared files, the system and the transport.
        name: The provider's name in messages and in ``sagemaker-runtime credentials``, such as
            ``environment``.
        system: Access to environment variables, files, processes and clocks.
    """

    def __init__(self, context: Context, name: str) -> None:
        self.context = context
        self.name = name
        self.system = context.system

    async def load(self) -> Credentials | None:
        """Load and return the current credentials, or None if this provider is not configured.

        Raises:
            CredentialProviderError: The provider is configured but failed; the message states what
                to fix.
        """
        raise NotImplementedError  # pragma: no cover (each provider overrides it)

    @property
    def section(self) -> Section:
        """The settings of the active profile; empty if that profile does not exist."""
        return self.context.profiles.profiles.get(self.context.profile, {})

    def setting(self, key: str) -> str | None:
        """Return the string value of a setting of the active profile, as `text_setting` does."""
        return text_setting(self.section, key)

    def variable_or_setting(self, variable: str, key: str) -> str | None:
        """Return the value of an environment variable or, if it is not set, of a profile setting.

        If an argument selected the profile, or if it is the source profile of another profile, the
        variable is ignored.
        """
        text = None if self.context.explicit else self.system.environ.get(variable)
        return text or self.setting(key)

    def failure(self, message: str, *, retryable: bool = False) -> CredentialProviderError:
        """Return a `CredentialProviderError` that mentions this provider."""
        error = CredentialProviderError(message, provider=self.name)
        error.retryable = retryable
        return error


def text_setting(section: Mapping[str, object], key: str) -> str | None:
    """Return the string value of *key*, or None if it is absent, empty or has nested settings."""
    value = section.get(key)
    return value if isinstance(value, str) and value else None
