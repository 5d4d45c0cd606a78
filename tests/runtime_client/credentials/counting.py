"""A provider that counts its calls, and returns numbered credentials."""

from datetime import timedelta

from sagemaker_runtime_client.credentials._chain import PROVIDERS
from sigv4 import Credentials


class CountingProvider:
    """A provider that counts the calls to `load`, which returns credentials numbered from 1.

    Args:
        io: Provides the clock.
        lifetime: The lifetime of the credentials in seconds; None if they do not expire.
        name: The name of the provider that this one replaces.
    """

    def __init__(self, io, lifetime=3600.0, name="process"):
        self.io = io
        self.lifetime = lifetime
        self.spec = PROVIDERS[name]
        self.count = 0
        self.error = None

    async def load(self):
        self.count += 1
        if self.error is not None:
            raise self.error
        return key(self.count, self.io.now(), self.lifetime)


def key(number, now, lifetime):
    """Return credentials in which each part contains *number*."""
    ends = None if lifetime is None else now + timedelta(seconds=lifetime)
    return Credentials(f"AKID{number}", f"canary-secret-{number}", f"canary-token-{number}", ends)
