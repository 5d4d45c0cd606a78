"""The interface that SigV4 and SigV4A implement, and the seed of a signed stream."""

from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ._credentials import Credentials, VerifyingKey
from ._errors import InvalidRequestError
from ._value import Value


class SigningAlgorithm(Protocol):
    """An algorithm that can sign requests; this is all that a `Signer` needs."""

    @property
    def name(self) -> str:
        """The algorithm's name on the wire."""
        ...

    @property
    def service(self) -> str:
        """The signing name of the service."""
        ...

    @property
    def region_set(self) -> str | None:
        """The value of ``X-Amz-Region-Set``, or None if the algorithm does not send it."""
        ...

    def scope(self, timestamp: str) -> str:
        """Return the credential scope at *timestamp*."""
        ...

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return the signature of *text* in hexadecimal."""
        ...


@runtime_checkable
class Algorithm(SigningAlgorithm, Protocol):
    """An algorithm that can sign requests and streams, and can verify both."""

    @property
    def signature_length(self) -> int:
        """The length of the signature of a chunk, in characters, including padding."""
        ...

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """Return whether *signature* is a valid signature of *text*."""
        ...


class SeedSignature(Value):
    """The start of a stream's chain of signatures: the signature of its request, and its key.

    The sender gets it from `Signer.seed`, the receiver from `Verified.seed`.  Its ``repr`` leaves
    out the key, which is secret.

    Attributes:
        algorithm: The algorithm of the request, such as a `SigV4`.
        key: The credentials, or the public key, that signed or verified the request.
        timestamp: When the request was signed, as ``20150830T123600Z``.
        signature: The request's signature, in hexadecimal.
    """

    __slots__ = __match_args__ = ("algorithm", "key", "timestamp", "signature")
    _hidden = frozenset({"key", "signature"})
    _renamed = MappingProxyType({"instant": "timestamp"})

    algorithm: Algorithm
    key: Credentials | VerifyingKey
    timestamp: str
    signature: str

    def __init__(
        self,
        algorithm: Algorithm,
        key: Credentials | VerifyingKey,
        timestamp: str,
        signature: str,
    ) -> None:
        self.algorithm = algorithm
        self.key = key
        self.timestamp = timestamp
        self.signature = signature

    __eq__ = object.__eq__  # compared by identity: each stream has its own seed
    __hash__ = object.__hash__


def for_streams(algorithm: SigningAlgorithm) -> Algorithm:
    """Return *algorithm*, or raise TypeError if it can sign requests only."""
    if isinstance(algorithm, Algorithm):
        return algorithm
    raise TypeError(
        f"{type(algorithm).__name__} cannot sign streams: it needs signature_length and check_string"
    )


def check_scope_part(name: str, value: Any) -> None:
    """Raise InvalidRequestError if *value* cannot be exactly one part of a credential scope."""
    fit = isinstance(value, str) and value.isascii() and value.isprintable()
    if not (fit and 1 <= len(value) <= 255) or any(character in value for character in " /,"):
        raise InvalidRequestError(
            f"{name} must be 1 to 255 printable ASCII characters, without spaces, slashes or commas"
        )
