"""What tells SigV4 from SigV4A: a few facts, and how a text is signed and checked."""

from typing import Any, Protocol

import sigv4

from ._credentials import Credentials
from ._errors import InvalidRequestError


class Algorithm(Protocol):
    """What SigV4 and SigV4A differ in."""

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

    @property
    def part_width(self) -> int:
        """How many characters the signature of a chunk fills."""
        ...

    def scope(self, instant: str) -> str:
        """Return the credential scope at *instant*."""
        ...

    def sign_string(self, text: str, credentials: Credentials, instant: str) -> str:
        """Return the signature of *text* in hexadecimal."""
        ...

    def check_string(
        self,
        text: str,
        credentials: "Credentials | sigv4.VerifyingKey",
        instant: str,
        signature: str,
    ) -> bool:
        """Tell whether *signature* is one of *text*."""
        ...


def check_scope_part(name: str, value: Any) -> None:
    """Refuse what cannot be a part of a credential scope, or would be more than one."""
    fit = isinstance(value, str) and value.isascii() and value.isprintable()
    if not (fit and 1 <= len(value) <= 255) or any(character in value for character in " /,"):
        raise InvalidRequestError(
            f"{name} must be printable ASCII, without blanks, slashes and commas, "
            "of 1 to 255 characters"
        )
