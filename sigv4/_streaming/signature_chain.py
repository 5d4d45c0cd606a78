"""Chained signatures: the signature of each part of a stream also covers the previous signature.

    string to sign = algorithm "-" kind LF timestamp LF scope LF previous signature LF hashes

For the first part, the previous signature is the seed signature, which is that of the request.  A
part is a chunk, the trailers or an event.  Which data is hashed depends on the kind of part; each
hash is on its own line.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from hashlib import sha256

from .._algorithm import SeedSignature
from .._credentials import Credentials
from .._errors import SignatureError


class SignatureChain:
    """Signs or verifies the parts of one stream in order.

    Attributes:
        previous: The last signature, which the next signature will cover.
    """

    __slots__ = ("_seed", "previous")

    def __init__(self, seed: SeedSignature) -> None:
        self._seed = seed
        self.previous = seed.signature

    def sign(self, kind: str, *hashed: bytes, timestamp: str | None = None) -> str:
        """Sign the next part.

        Args:
            kind: The kind of the part: ``PAYLOAD`` for a chunk or an event, or ``TRAILER``.
            hashed: The byte strings to hash, in the order of the hashes in the string to sign.
            timestamp: The time of signing; by default the timestamp of the seed.

        Raises:
            TypeError: The seed contains a public key, which can only verify signatures.
        """
        seed, timestamp = self._seed, timestamp or self._seed.timestamp
        if not isinstance(seed.key, Credentials):
            raise TypeError("a public key cannot sign: use a seed from Signer.seed")
        text = self._string_to_sign(kind, hashed, timestamp)
        self.previous = seed.algorithm.sign_string(text, seed.key, timestamp)
        return self.previous

    def sign_padded(self, kind: str, *hashed: bytes) -> str:
        """Sign the next part, and pad the signature with ``*`` to a fixed length."""
        return self.sign(kind, *hashed).ljust(self._seed.algorithm.signature_length, "*")

    def check(
        self, signature: str, label: str, kind: str, *hashed: bytes, timestamp: str | None = None
    ) -> None:
        """Check that *signature* is the signature of the next part.

        Args:
            signature: The signature to check.
            label: A name for the part in the error message, such as ``chunk 1``.
            kind: As for `sign`.
            hashed: As for `sign`.
            timestamp: As for `sign`.

        Raises:
            SignatureError: The signature does not match.
        """
        seed, timestamp = self._seed, timestamp or self._seed.timestamp
        text = self._string_to_sign(kind, hashed, timestamp)
        if not seed.algorithm.check_string(text, seed.key, timestamp, signature):
            raise SignatureError(
                "SignatureDoesNotMatch",
                f"the signature of {label} does not match the calculated signature",
                string_to_sign=text,
            )
        self.previous = signature

    def check_padded(self, signature: str, label: str, kind: str, *hashed: bytes) -> None:
        """Like `check`, for a signature made by `sign_padded`."""
        if len(signature) != self._seed.algorithm.signature_length:
            raise SignatureError(
                "SignatureDoesNotMatch",
                f"the signature of {label} is missing or has the wrong length",
            )
        self.check(signature.rstrip("*"), label, kind, *hashed)

    def _string_to_sign(self, kind: str, hashed: tuple[bytes, ...], timestamp: str) -> str:
        """Return the string to sign for the next part."""
        algorithm = self._seed.algorithm
        hashes = [sha256(part).hexdigest() for part in hashed]
        return "\n".join(
            [
                f"{algorithm.name}-{kind}",
                timestamp,
                algorithm.scope(timestamp),
                self.previous,
                *hashes,
            ]
        )
