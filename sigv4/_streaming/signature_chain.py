"""
Chained signatures: each part of a stream is signed together with the signature before it.

    string to sign = algorithm "-" kind LF timestamp LF scope LF previous signature LF hashes

The first part follows the request's own signature, the seed.  The hashes, one a line, are what
the kind of part says: of a chunk, of trailers or of an event.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from hashlib import sha256

from .._algorithm import SeedSignature
from .._credentials import Credentials
from .._errors import SignatureError


class Chain:
    """
    The running end of a chain.

    Attributes:
        previous: The signature that the next part follows.
    """

    __slots__ = ("_seed", "previous")

    def __init__(self, seed: SeedSignature) -> None:
        self._seed = seed
        self.previous = seed.signature

    def sign(self, kind: str, *hashed: bytes, timestamp: str | None = None) -> str:
        """
        Sign the next part.

        Args:
            kind: ``PAYLOAD`` or ``TRAILER``.
            hashed: What the part's hashes are taken of, in the order of their lines.
            timestamp: When the part is signed; the seed's timestamp by default.

        Raises:
            TypeError: The seed holds a public key, which signs nothing.
        """
        seed, timestamp = self._seed, timestamp or self._seed.timestamp
        if not isinstance(seed.key, Credentials):
            raise TypeError("a public key signs nothing; the seed must come from Signer.seed")
        text = self._string_to_sign(kind, hashed, timestamp)
        self.previous = seed.algorithm.sign_string(text, seed.key, timestamp)
        return self.previous

    def sign_padded(self, kind: str, *hashed: bytes) -> str:
        """Sign the next part, and fill the signature up with ``*``, so that all have one length."""
        return self.sign(kind, *hashed).ljust(self._seed.algorithm.signature_length, "*")

    def check(
        self, signature: str, what: str, kind: str, *hashed: bytes, timestamp: str | None = None
    ) -> None:
        """
        Check that *signature* is the next part's, and go on from it.

        Raises:
            SignatureError: It is not; the message names *what* was signed.
        """
        seed, timestamp = self._seed, timestamp or self._seed.timestamp
        text = self._string_to_sign(kind, hashed, timestamp)
        if not seed.algorithm.check_string(text, seed.key, timestamp, signature):
            raise SignatureError(
                "SignatureDoesNotMatch",
                f"the signature of {what} is not the one that the key gives for it",
                string_to_sign=text,
            )
        self.previous = signature

    def check_padded(self, signature: str, what: str, kind: str, *hashed: bytes) -> None:
        """Do the same with a signature that `sign_padded` made."""
        if len(signature) != self._seed.algorithm.signature_length:
            raise SignatureError("SignatureDoesNotMatch", f"{what} is not signed as it must be")
        self.check(signature.rstrip("*"), what, kind, *hashed)

    def _string_to_sign(self, kind: str, hashed: tuple[bytes, ...], timestamp: str) -> str:
        """Return the text that is signed for the next part."""
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
