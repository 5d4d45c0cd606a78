"""Credentials, credential providers, and public keys that verify signatures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, datetime
from inspect import isawaitable, iscoroutinefunction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, runtime_checkable

from ._errors import MissingDependencyError
from ._value import Value, type_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
else:

    class _LazyModule:
        """Imports `cryptography`'s elliptic curve module when a tool evaluates annotations."""

        def __getattr__(self, name: str) -> object:
            return getattr(import_ec(), name)

    ec = _LazyModule()


def import_ec() -> Any:
    """Import and return `cryptography`'s elliptic curve module, or raise MissingDependencyError."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise MissingDependencyError(
            "SigV4A requires the cryptography package: pip install cryptography"
            f" (the import failed: {error})"
        ) from error
    return ec


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("expiration must have a time zone, such as datetime.UTC")
    return value.astimezone(UTC)


def _check_usable(name: str, value: object) -> None:
    """Raise an error unless *value* is a non-empty string of printable ASCII without spaces.

    The message does not contain the value.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{name} must be printable ASCII without spaces")


class Credentials(Value):
    """An AWS access key, with a session token if the key is temporary.

    Secrets are left out of ``repr``, and the object cannot be pickled.

    Attributes:
        access_key_id: The public part of the key, such as ``AKIDEXAMPLE``.
        secret_access_key: The secret part of the key.
        session_token: The session token of a temporary key; None for a permanent key.
        expiration: The time at which the key expires, a datetime with a time zone; None if the key
            does not expire.
        account_id: The ID of the AWS account that owns the key, which is not secret; None if
            unknown.

    Raises:
        ValueError: *expiration* has no time zone; or another argument is empty, contains a space or
            is not printable ASCII.  The message states which argument is invalid.
        TypeError: An argument other than *expiration* has the wrong type.
    """

    __match_args__ = (
        "access_key_id",
        "secret_access_key",
        "session_token",
        "expiration",
        "account_id",
    )
    __slots__ = (*__match_args__, "_derived_keys", "__weakref__")
    _hidden = frozenset({"secret_access_key", "session_token"})

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expiration: datetime | None
    account_id: str | None
    _derived_keys: dict[Hashable, Any]

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        expiration: datetime | None = None,
        *,
        account_id: str | None = None,
    ) -> None:
        _check_usable("access_key_id", access_key_id)
        _check_usable("secret_access_key", secret_access_key)
        if session_token is not None:
            _check_usable("session_token", session_token)
        if account_id is not None:
            _check_usable("account_id", account_id)
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.expiration = _to_utc(expiration)
        self.account_id = account_id
        self._derived_keys = {}

    def expired(self, at: datetime) -> bool:
        """Return whether the key has expired at *at*, a datetime with a time zone."""
        return self.expiration is not None and self.expiration <= at

    def __copy__(self) -> Credentials:
        """Return the object itself, so that the cached derived keys are reused."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Credentials:
        """Return the object itself, so that the cached derived keys are reused."""
        return self

    def __reduce__(self) -> NoReturn:
        """Raise TypeError, because pickles are often stored for a long time and without protection."""
        raise TypeError("credentials cannot be pickled: load them in the other process instead")


# Returns the cache of the keys that the algorithms derive from credentials.  The cache is an
# attribute of the credentials object, so that both are freed together.
get_derived_keys: Callable[[Credentials], dict[Hashable, Any]] = attrgetter("_derived_keys")


class VerifyingKey(Value):
    """The public half of a SigV4A key.  It can verify signatures but not make them.

    `verify` accepts a `VerifyingKey` instead of credentials, so that a server does not need to
    store secret access keys.

    Attributes:
        public_key: A `cryptography` public key on the curve P-256.
        session_token: The session token that requests must contain if the key is temporary; None
            for a permanent key.

    Raises:
        ValueError: *public_key* is not a public key on the curve P-256.
    """

    __slots__ = __match_args__ = ("public_key", "session_token")
    _hidden = frozenset({"session_token"})

    public_key: ec.EllipticCurvePublicKey
    session_token: str | None

    def __init__(
        self, public_key: ec.EllipticCurvePublicKey, session_token: str | None = None
    ) -> None:
        curve = getattr(public_key, "curve", None)
        if getattr(curve, "name", None) != "secp256r1" or not hasattr(public_key, "verify"):
            raise ValueError("public_key must be a public key of cryptography on the curve P-256")
        self.public_key = public_key
        self.session_token = session_token

    @classmethod
    def from_pem(cls, pem: bytes | str, session_token: str | None = None) -> VerifyingKey:
        """Load a public key in PEM format (``-----BEGIN PUBLIC KEY-----``).

        Raises:
            ValueError: The PEM data contains no public key, or a public key that is not on the
                curve P-256.
            MissingDependencyError: `cryptography` cannot be imported.
        """
        import_ec()
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key: Any = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
        return cls(key, session_token)

    def to_pem(self) -> bytes:
        """Return the key in PEM format (``-----BEGIN PUBLIC KEY-----``), without the session token."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@runtime_checkable
class CredentialsProvider(Protocol):
    """A source of credentials for blocking and for async callers.

    `get` or `aget` is called before each signature, and must return credentials that are valid at
    that time.  The provider is responsible for caching and refreshing the credentials.  ``sigv4``
    contains no provider that finds credentials.
    """

    def get(self) -> Credentials:
        """Return credentials; the call may block."""
        ...

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop."""
        ...


CredentialsLike = (
    Credentials | CredentialsProvider | Callable[[], Credentials | Awaitable[Credentials]]
)


class FunctionProvider:
    """A provider that calls a function for each signature.

    Args:
        function: A function without arguments that returns credentials.  The function may be
            ``async`` if only `aget` is used.
    """

    def __init__(self, function: Callable[[], Credentials | Awaitable[Credentials]]) -> None:
        self.function = function

    def get(self) -> Credentials:
        """Call the function and return its result.

        Raises:
            TypeError: The function is async, or its result is not a `Credentials`.
        """
        _reject_async(self.function)
        credentials = self.function()
        if isinstance(credentials, Credentials):
            return credentials
        # If the result is a coroutine, close it, because Python warns if a coroutine is never
        # awaited.
        close = getattr(credentials, "close", None)
        if close is not None:
            close()
        raise TypeError(f"{_NEEDS_FUNCTION}, not {type_name(credentials)}")

    async def aget(self) -> Credentials:
        """Call the function, await its result if necessary, and return the credentials."""
        credentials = self.function()
        return await credentials if isawaitable(credentials) else credentials


_NEEDS_FUNCTION = "a blocking client needs a synchronous function that returns sigv4.Credentials"


def _reject_async(function: object) -> None:
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        raise TypeError(f"{_NEEDS_FUNCTION}, not an async function")


def as_provider(source: CredentialsLike, *, blocking: bool = False) -> CredentialsProvider:
    """Convert *source* to a provider.

    Args:
        source: Credentials; a provider, which is returned unchanged; or a function that returns
            credentials and is called for each signature.
        blocking: Whether only the provider's `get` will be called, so that async functions are
            rejected.

    Raises:
        TypeError: *source* has none of these types, or it is an async function although *blocking*
            is set.
    """
    if isinstance(source, Credentials):
        return FunctionProvider(lambda: source)
    if isinstance(source, CredentialsProvider):
        return source
    if not callable(source):
        raise TypeError(
            "credentials must be sigv4.Credentials, a provider with get and aget methods, or a "
            f"function that returns sigv4.Credentials, not {type_name(source)}"
        )
    if blocking:
        _reject_async(source)
    return FunctionProvider(source)
