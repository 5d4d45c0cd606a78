"""Seed signatures for the tests of chunked bodies and event streams."""

from sigv4 import Algorithm, Credentials, SeedSignature, SigV4, VerifyingKey

KEY = Credentials("AKIDEXAMPLE", "secret")
SIGV4 = SigV4("s3", "us-east-1")


def make_seed(
    algorithm: Algorithm = SIGV4,
    key: Credentials | VerifyingKey = KEY,
    signature: str = "5eed" * 16,
) -> SeedSignature:
    """Return a seed signature as if a request had been signed with *algorithm* and *key*."""
    return SeedSignature(algorithm, key, "20261122T120000Z", signature)
