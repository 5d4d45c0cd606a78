"""The interfaces that SigV4 and SigV4A implement, and the seed of a stream's signature chain."""

from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ._credentials import Credentials, VerifyingKey
from ._errors import InvalidRequestError
from ._value import Value


class SigningAlgorithm(Protocol):
    """The interface of an algorithm that can sign requests.

    `Signer.sign` and `Signer.presign` use only the members of this interface.
    """

    @property
    def name(self) -> str:
        """The algorithm's name, as it is sent in requests, such as ``AWS4-HMAC-SHA256``."""
        ...

    @property
    def service(self) -> str:
        """The signing name of the service, such as ``s3``."""
        ...

    @property
    def region_set(self) -> str | None:
        """The value of ``X-Amz-Region-Set``; None if the algorithm sends no region set."""
        ...

    def scope(self, timestamp: str) -> str:
        """Return the credential scope of a signature made at *timestamp*."""
        ...

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return the hexadecimal signature of *text*, made with a key derived from *credentials*."""
        ...


@runtime_checkable
class Algorithm(SigningAlgorithm, Protocol):
    """The interface of an algorithm that can sign and verify both requests and streams."""

    @property
    def signature_length(self) -> int:
        """The length of a chunk's signature in characters, including padding."""
        ...

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """Return whether *signature* is a valid signature of *text* by the key in *credentials*."""
        ...


class SeedSignature(Value):
    """The values from which a stream's signature chain starts, such as the request's signature.

    The sender gets the seed from `Signer.seed`, the receiver from `Verified.seed`.  The ``repr``
    leaves out the key and the signature.

    Attributes:
        algorithm: The algorithm with which the request was signed, such as a `SigV4`.
        key: For the sender, the credentials that signed the request; for the receiver, the
            credentials or the public key that verified the request's signature.
        timestamp: The time at which the request was signed, in the form ``20150830T123600Z``.
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

    __eq__ = object.__eq__  # seeds are compared by identity, because each stream has its own seed
    __hash__ = object.__hash__


def for_streams(algorithm: SigningAlgorithm) -> Algorithm:
    """Return *algorithm*, or raise TypeError if it cannot sign streams."""
    if isinstance(algorithm, Algorithm):
        return algorithm
    raise TypeError(
        f"{type(algorithm).__name__} cannot sign streams: it needs signature_length and check_string"
    )


def check_scope_part(name: str, value: Any) -> None:
    """Raise InvalidRequestError if *value* is not valid as one part of a credential scope."""
    fit = isinstance(value, str) and value.isascii() and value.isprintable()
    if not (fit and 1 <= len(value) <= 255) or any(character in value for character in " /,"):
        raise InvalidRequestError(
            f"{name} must be 1 to 255 printable ASCII characters, without spaces, slashes or commas"
        )
