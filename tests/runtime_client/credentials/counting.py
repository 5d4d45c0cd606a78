"""A provider that counts how often it is asked, and the numbered keys that it hands out."""

from datetime import timedelta

from sagemaker_runtime_client.credentials._chain import PROVIDERS
from sigv4 import Credentials


class CountingProvider:
    """A provider that counts, and hands out keys numbered from 1 that live for some seconds."""

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
    """Return a whole key, each part of which has its number."""
    ends = None if lifetime is None else now + timedelta(seconds=lifetime)
    return Credentials(f"AKID{number}", f"canary-secret-{number}", f"canary-token-{number}", ends)
