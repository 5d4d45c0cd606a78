"""
What a source of credentials is, and what it is given to work with.

``None`` means "not configured here": the next one is asked.  An error means "configured and
broken": it ends the search, and names the source, the profile, the file or the variable, and
what to do.  Nothing in it is secret.
"""

from typing import Protocol

from attrs import frozen

from sigv4 import Credentials

from .._config import Config
from .._io import IO
from .._profile_file import Profiles


@frozen
class Context:
    """
    What providers work with.

    Attributes:
        io: The outside world: variables, files, processes, requests, clocks.
        config: The settings: region, FIPS, dual-stack, endpoints of one's own, time limits.
        profiles: The shared files, parsed.
        profile: The name of the profile in force.
        explicit: Whether that profile was named by an argument, which then wins over the
            environment's keys.
    """

    io: IO
    config: Config
    profiles: Profiles
    profile: str = "default"
    explicit: bool = False


class Provider(Protocol):
    """A source of credentials."""

    @property
    def name(self) -> str:
        """What messages and `credentials` on the command line call it, such as ``environment``."""
        ...

    async def load(self, context: Context) -> Credentials | None:
        """
        Return credentials, fetched now, or None if this source is not configured.

        Raises:
            CredentialProviderError: It is configured, and failed.
        """
        ...
