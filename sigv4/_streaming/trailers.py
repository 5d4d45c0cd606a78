"""The trailers of an ``aws-chunked`` body, as its receiver has them: promised, made, checked."""

from collections.abc import Sequence

from .._errors import SignatureError
from .._limits import MOST_TRAILERS
from .checksums import HASHERS, HEADER, Hasher, Hashers, checksum_algorithm, decode_checksum
from .chunked import TRAILER_SIGNATURE


def malformed_trailer(what: str) -> SignatureError:
    """Return the refusal of a trailer that is not as it was promised."""
    return SignatureError("MalformedTrailerError", what)


class Trailers:
    """
    What a body promises to end with, and what is computed meanwhile to compare.

    Attributes:
        names: The names that are promised, in lower case.
        received: What came.
        unchecked: The names of promised checksums that nothing here can compute.

    Raises:
        SignatureError: Too many names are promised, one of them twice, or two checksums.
    """

    __slots__ = ("_hashers", "_possible", "names", "received", "unchecked")

    def __init__(self, names: Sequence[str], hashers: Hashers, *, signed: bool) -> None:
        if len(names) > MOST_TRAILERS:
            raise malformed_trailer(f"x-amz-trailer names more than {MOST_TRAILERS}")
        if len(set(names)) != len(names):
            raise malformed_trailer("x-amz-trailer names one twice")
        if sum(name.startswith(HEADER) for name in names) > 1:
            raise SignatureError("InvalidRequest", "there must be a single x-amz-checksum- trailer")
        makers = {**HASHERS, **hashers}
        algorithms = {name: algorithm for name in names if (algorithm := checksum_algorithm(name))}
        self.names = frozenset(names)
        self.received: dict[str, str] = {}
        self.unchecked = tuple(name for name, made in algorithms.items() if made not in makers)
        self._possible = {*names, TRAILER_SIGNATURE} if signed else self.names
        self._hashers: dict[str, Hasher] = {
            name: makers[algorithm]()
            for name, algorithm in algorithms.items()
            if algorithm in makers
        }

    def update(self, data: bytes) -> None:
        """Take more of the body into the checksums."""
        for hasher in self._hashers.values():
            hasher.update(data)

    def add(self, line: bytes) -> None:
        """
        Take a trailer.

        Raises:
            SignatureError: It is malformed, came before, or was not promised.
        """
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not colon or name in self.received or name not in self._possible:
            raise malformed_trailer("a trailer is malformed, repeated or was not announced")
        self.received[name] = value.strip()

    def signed(self) -> tuple[str, bytes]:
        """
        Return the signature of the trailers, and the text that it must be the signature of.

        Raises:
            SignatureError: A trailer that was promised did not come.
        """
        signature = self.received.pop(TRAILER_SIGNATURE, "")
        if self.received.keys() != self.names:
            raise malformed_trailer("a trailer that was announced is missing")
        lines = [f"{name}:{value}\n" for name, value in sorted(self.received.items())]
        return signature, "".join(lines).encode("latin-1")

    def check(self) -> None:
        """
        Check that the body is the one that the checksum among the trailers was made of.

        Raises:
            SignatureError: It is not, or the checksum cannot be one.
        """
        for name, value in self.received.items():
            algorithm = checksum_algorithm(name)
            if algorithm is None:
                continue
            digest = decode_checksum(value, algorithm)
            if digest is None:
                raise SignatureError("InvalidRequest", f"the trailer {name} is no {algorithm}")
            if name in self._hashers and self._hashers[name].digest() != digest:
                raise SignatureError("BadDigest", f"the body is not the one of its {algorithm}")
