"""Compares the trailers of a received ``aws-chunked`` body with those that the request announced."""

from collections.abc import Sequence

from .._errors import SignatureError
from .._limits import MOST_TRAILERS
from .checksums import HASHERS, HEADER, Hasher, Hashers, checksum_algorithm, decode_checksum
from .chunked import TRAILER_SIGNATURE


def malformed_trailer(message: str) -> SignatureError:
    """Return an error for trailers that are malformed, missing or unexpected."""
    return SignatureError("MalformedTrailerError", message)


class Trailers:
    """The trailers that must follow a body, and hashers for the checksums among them.

    Attributes:
        names: The names in ``x-amz-trailer``, in lower case.
        received: The values of the trailers received so far, keyed by name.
        unchecked: The names of the checksum trailers for which there is no hasher.

    Raises:
        SignatureError: There are too many names, a name is repeated, or more than one of the names
            begins with ``x-amz-checksum-``.
    """

    __slots__ = ("_hashers", "_allowed", "names", "received", "unchecked")

    def __init__(self, names: Sequence[str], hashers: Hashers, *, signed: bool) -> None:
        if len(names) > MOST_TRAILERS:
            raise malformed_trailer(
                f"x-amz-trailer names {len(names)} trailers; at most {MOST_TRAILERS} are allowed"
            )
        if len(set(names)) != len(names):
            raise malformed_trailer("x-amz-trailer names the same trailer twice")
        if sum(name.startswith(HEADER) for name in names) > 1:
            raise SignatureError(
                "InvalidRequest", "x-amz-trailer names more than one x-amz-checksum-* trailer"
            )
        factories = {**HASHERS, **hashers}
        algorithms = {name: algorithm for name in names if (algorithm := checksum_algorithm(name))}
        self.names = frozenset(names)
        self.received: dict[str, str] = {}
        self.unchecked = tuple(
            name for name, algorithm in algorithms.items() if algorithm not in factories
        )
        self._allowed = {*names, TRAILER_SIGNATURE} if signed else self.names
        self._hashers: dict[str, Hasher] = {
            name: factories[algorithm]()
            for name, algorithm in algorithms.items()
            if algorithm in factories
        }

    def update(self, data: bytes) -> None:
        """Update the checksums with the next bytes of the body."""
        for hasher in self._hashers.values():
            hasher.update(data)

    def add(self, line: bytes) -> None:
        """Parse one trailer line, and add the trailer to `received`.

        Raises:
            SignatureError: The trailer is malformed, repeated, or not listed in ``x-amz-trailer``.
        """
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not colon:
            raise malformed_trailer("a trailer must have the form name:value")
        if name in self.received or name not in self._allowed:
            raise malformed_trailer(f"the trailer {name!r} is repeated or not in x-amz-trailer")
        self.received[name] = value.strip()

    def signature_and_text(self) -> tuple[str, bytes]:
        """Return the signature of the trailers, and the bytes that it covers.

        Raises:
            SignatureError: A trailer that is listed in ``x-amz-trailer`` is missing.
        """
        signature = self.received.pop(TRAILER_SIGNATURE, "")
        if self.received.keys() != self.names:
            missing = ", ".join(sorted(self.names - self.received.keys()))
            raise malformed_trailer(
                f"x-amz-trailer names trailers that are missing from the body: {missing}"
            )
        lines = [f"{name}:{value}\n" for name, value in sorted(self.received.items())]
        return signature, "".join(lines).encode("latin-1")

    def check(self) -> None:
        """Check that the checksum trailer matches the body.

        If there is no hasher for the checksum, only the format of the trailer is checked.

        Raises:
            SignatureError: The checksum does not match or is malformed.
        """
        for name, value in self.received.items():
            algorithm = checksum_algorithm(name)
            if algorithm is None:
                continue
            digest = decode_checksum(value, algorithm)
            if digest is None:
                raise SignatureError(
                    "InvalidRequest",
                    f"the trailer {name} must be a base64-encoded {algorithm} checksum",
                )
            if name in self._hashers and self._hashers[name].digest() != digest:
                raise SignatureError(
                    "BadDigest",
                    f"the {algorithm} checksum of the body does not match the trailer {name}",
                )
