"""What tells SigV4 from SigV4A: a few facts, and how a text is signed and checked."""

from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ._credentials import Credentials, VerifyingKey
from ._errors import InvalidRequestError
from ._value import Value


class SigningAlgorithm(Protocol):
    """What a `Signer` asks of an algorithm."""

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
        """The value of ``X-Amz-Region-Set``, if there is one."""
        ...

    def scope(self, timestamp: str) -> str:
        """Return the credential scope at *timestamp*."""
        ...

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return the signature of *text* in hexadecimal."""
        ...


@runtime_checkable
class Algorithm(SigningAlgorithm, Protocol):
    """What SigV4 and SigV4A differ in: how requests and streams are signed, and how they are checked."""

    @property
    def signature_length(self) -> int:
        """How many characters the signature of a chunk fills."""
        ...

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """Tell whether *signature* is one of *text*."""
        ...


class SeedSignature(Value):
    """
    What the parts of a stream are chained to: the signature of its request, and who made it.

    The sender has it from `Signer.seed`, the receiver from `Verified.seed`.  It holds the key,
    so it stays out of ``repr``.

    Attributes:
        algorithm: Such as a `SigV4`.
        key: The credentials, or the public key, that signed or checked the request.
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

    __eq__ = object.__eq__  # by identity: each stream has its own
    __hash__ = object.__hash__


def for_streams(algorithm: SigningAlgorithm) -> Algorithm:
    """Return *algorithm*, unless it is one that only signs requests."""
    if isinstance(algorithm, Algorithm):
        return algorithm
    raise TypeError(
        f"{type(algorithm).__name__} cannot sign streams: it needs signature_length and check_string"
    )


def check_scope_part(name: str, value: Any) -> None:
    """Refuse what cannot be a part of a credential scope, or would be more than one."""
    fit = isinstance(value, str) and value.isascii() and value.isprintable()
    if not (fit and 1 <= len(value) <= 255) or any(character in value for character in " /,"):
        raise InvalidRequestError(
            f"{name} must be 1 to 255 printable ASCII characters, without spaces, slashes or commas"
        )
