"""Who signs: an access key, and the protocol of whatever supplies one.  Who checks: a public key."""

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
        """`cryptography`'s module of elliptic curves, for tools that look an annotation up."""

        def __getattr__(self, name: str) -> object:
            return getattr(import_ec(), name)

    ec = _LazyModule()


def import_ec() -> Any:
    """Return `cryptography`'s module of elliptic curves."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise MissingDependencyError(
            "SigV4A requires the cryptography package: pip install cryptography"
            f" (the import failed: {error})"
        ) from error
    return ec


def _to_utc(value: datetime | None) -> datetime | None:
    """Return *value* in UTC; an instant without a time zone is nobody's instant."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("expiration must have a time zone, such as datetime.UTC")
    return value.astimezone(UTC)


def _check_usable(name: str, value: object) -> None:
    """Refuse what cannot be a key or a token, without repeating it: it may be a secret."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{name} must be printable ASCII without spaces")


class Credentials(Value):
    """
    An AWS access key, with its session token where it is temporary.

    Secrets stay out of ``repr``, and the value refuses to be pickled.

    Attributes:
        access_key_id: The public half, such as ``AKIDEXAMPLE``.
        secret_access_key: The secret half.
        session_token: Present exactly where the key is temporary.
        expiration: The aware instant from which the key no longer counts; None if it does not end.
        account_id: The account whose key it is, where its source says so; not secret.

    Raises:
        ValueError: A part is empty, holds blanks or is not ASCII; the message names the part.
        TypeError: A part is not a ``str``.
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
        """Tell whether the key no longer counts at the aware instant *at*."""
        return self.expiration is not None and self.expiration <= at

    def __copy__(self) -> "Credentials":
        """Return itself, with the keys that were derived."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Credentials":
        """Return itself, with the keys that were derived."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle outlives its reader and is seldom guarded."""
        raise TypeError("credentials cannot be pickled: load them in the other process instead")


# For the algorithms, which derive a key once.  It is kept here, so that it goes when its secret goes.
get_derived_keys: "Callable[[Credentials], dict[Hashable, Any]]" = attrgetter("_derived_keys")


class VerifyingKey(Value):
    """
    The public half of a SigV4A key: it checks signatures and can make none.

    `verify` takes it wherever it takes credentials, so that a server need not hold secrets.

    Attributes:
        public_key: As `cryptography` has it, on the curve P-256.
        session_token: The token that requests must carry, where the key is temporary.

    Raises:
        ValueError: *public_key* is not such a key.
    """

    __slots__ = __match_args__ = ("public_key", "session_token")
    _hidden = frozenset({"session_token"})

    public_key: "ec.EllipticCurvePublicKey"
    session_token: str | None

    def __init__(
        self, public_key: "ec.EllipticCurvePublicKey", session_token: str | None = None
    ) -> None:
        curve = getattr(public_key, "curve", None)
        if getattr(curve, "name", None) != "secp256r1" or not hasattr(public_key, "verify"):
            raise ValueError("public_key must be a public key of cryptography on the curve P-256")
        self.public_key = public_key
        self.session_token = session_token

    @classmethod
    def from_pem(cls, pem: bytes | str, session_token: str | None = None) -> "VerifyingKey":
        """
        Return the key that ``-----BEGIN PUBLIC KEY-----`` encloses.

        Raises:
            ValueError: It encloses no key, or not one on the curve P-256.
        """
        import_ec()
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key: Any = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
        return cls(key, session_token)

    def to_pem(self) -> bytes:
        """Return the key between ``-----BEGIN PUBLIC KEY-----`` and its end, without the token."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@runtime_checkable
class CredentialsProvider(Protocol):
    """
    Whatever supplies credentials, blocking and async.

    Each call returns credentials that are good for one signature now; caching and refreshing
    are the provider's business.  ``sigv4`` holds no provider of its own.
    """

    def get(self) -> Credentials:
        """Return credentials, blocking if need be."""
        ...

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop."""
        ...


CredentialsLike = (
    Credentials | CredentialsProvider | Callable[[], Credentials | Awaitable[Credentials]]
)


class FunctionProvider:
    """
    A function as a provider: it is called for each signature.

    Args:
        function: Takes nothing and returns credentials; where only `aget` is asked, it may be
            ``async``.
    """

    def __init__(self, function: Callable[[], Credentials | Awaitable[Credentials]]) -> None:
        self.function = function

    def get(self) -> Credentials:
        """Return what the function returns, or raise TypeError if that must be awaited."""
        _reject_async(self.function)
        credentials = self.function()
        if isinstance(credentials, Credentials):
            return credentials
        close = getattr(credentials, "close", None)  # a coroutine that nobody will await
        if close is not None:
            close()
        raise TypeError(f"{_NEEDS_FUNCTION}, not {type_name(credentials)}")

    async def aget(self) -> Credentials:
        """Return what the function returns, awaited if need be."""
        credentials = self.function()
        return await credentials if isawaitable(credentials) else credentials


_NEEDS_FUNCTION = "a blocking client needs a synchronous function that returns sigv4.Credentials"


def _reject_async(function: object) -> None:
    """Refuse what must be awaited, by a client that cannot."""
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        raise TypeError(f"{_NEEDS_FUNCTION}, not an async function")


def as_provider(source: CredentialsLike, *, blocking: bool = False) -> CredentialsProvider:
    """
    Return a provider of whatever *source* is: credentials, a provider or a function.

    Args:
        source: A function is called for each signature.
        blocking: Whether the provider will only ever be asked by `CredentialsProvider.get`.

    Raises:
        TypeError: *source* is none of these, or is async where *blocking* is set.
    """
    if isinstance(source, Credentials):
        return FunctionProvider(lambda: source)
    if isinstance(source, CredentialsProvider):
        return source
    if not callable(source):
        raise TypeError(
            "credentials must be sigv4.Credentials, a provider with get and aget methods, or a function that "
            f"returns sigv4.Credentials, not {type_name(source)}"
        )
    if blocking:
        _reject_async(source)
    return FunctionProvider(source)
