"""Test `Value`: equality, repr, copies and former names."""

import copy
import pickle
from datetime import UTC, datetime
from inspect import signature

import pytest

from sigv4 import Credentials, Payload, SeedSignature, SignableRequest, Signer, SigV4, SigV4A

EAST = SigV4("s3", "us-east-1")
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_equality():
    """Values of the same class with equal fields are equal and have the same hash."""
    assert SigV4(region="us-east-1", service="s3") == EAST
    assert hash(EAST) == hash(SigV4("s3", "us-east-1"))
    assert SigV4("s3", "us-east-2") != EAST
    assert EAST != ("s3", "us-east-1")
    assert SigV4("s3", "*") != SigV4A("s3", "*")


def test_derived_keys_are_not_compared():
    """Derived keys do not affect the equality of credentials."""
    used, new = Credentials("AKID", "secret"), Credentials("AKID", "secret")
    EAST.sign_string("text", used, "20261126T120000Z")
    assert used._derived_keys
    assert not new._derived_keys
    assert (new, hash(new)) == (used, hash(used))


VALUES = [
    EAST,
    SigV4A("s3", "*"),
    Signer(EAST),
    Payload.UNSIGNED,
    Credentials("AKID", "secret", "token"),
    Signer(EAST).sign(
        SignableRequest("GET", "https://example.com/"), Credentials("AKID", "secret"), at=AT
    ),
    SeedSignature(EAST, Credentials("AKID", "secret"), "20261126T120000Z", "0" * 64),
]
each_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@each_value
def test_fields(value):
    """A value's fields are the constructor's arguments in order, and no other attribute can be set."""
    names = type(value).__match_args__
    assert [*signature(type(value)).parameters] == [*names]
    assert not hasattr(value, "__dict__")
    with pytest.raises(AttributeError):
        value.color = "red"


@each_value
def test_hidden_fields(value):
    """The repr contains the fields that are not hidden, in order."""
    shown = [name for name in type(value).__match_args__ if name not in value._hidden]
    text = f"{type(value).__name__}({', '.join(f'{n}={getattr(value, n)!r}' for n in shown)})"
    assert repr(value) == text
    assert "'secret'" not in text
    assert "'token'" not in text


def test_replace():
    """`replace` and ``__replace__`` return a changed copy; `replace` rejects unknown fields.

    It also rejects values that the constructor rejects.
    """
    assert EAST.replace(region="us-east-2") == SigV4("s3", "us-east-2")
    assert EAST.__replace__(service="sts") == SigV4("sts", "us-east-1")
    with pytest.raises(ValueError, match="region must be"):
        EAST.replace(region="")
    with pytest.raises(TypeError, match="color"):
        EAST.replace(color="red")


def test_repr():
    """The repr of a value contains the names and the values of its fields."""
    assert repr(EAST) == "SigV4(service='s3', region='us-east-1')"


@pytest.mark.parametrize("value", [EAST, Payload.UNSIGNED, Signer(EAST, double_encode=True)])
def test_copies(value):
    """A copy, a deep copy and an unpickled value are equal to the original."""
    twins = copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))
    assert twins == (value, value, value)


def test_signatures():
    """A signature is equal only to itself, and can be hashed although its headers are a dict."""
    request, key = SignableRequest("GET", "https://example.com/"), Credentials("AKID", "secret")
    one, other = (Signer(EAST).sign(request, key, at=AT) for _ in range(2))
    assert one.headers == other.headers
    assert one != other
    assert len({one, other, one}) == 2


def test_case():
    """A ``case`` pattern can match the fields of a value."""
    match EAST:
        case SigV4("s3", region):
            assert region == "us-east-1"
        case _:
            pytest.fail("no case fits")


class Named(Credentials):
    """A subclass of `Credentials` with an additional attribute, which is not a field."""

    __slots__ = ("label",)


def test_derived_class():
    """Objects of the same subclass are equal if the fields of the base class are equal."""
    key = Named("AKID", "secret")
    assert key == Named("AKID", "secret")
    assert key != Named("AKID", "other")
    assert key != Credentials("AKID", "secret")
    assert repr(key) == "Named(access_key_id='AKID', expiration=None, account_id=None)"
    assert key.replace(session_token="token") == Named("AKID", "secret", "token")


def test_former_names():
    """Renamed public names of version 0.1.0 still work, and a warning mentions the new name."""
    import sigv4

    for old, new in {
        "ALL_BUT_NEVER_SIGNED": "sign_all_headers",
        "CredentialsSource": "CredentialsLike",
        "DEFAULT": "sign_default_headers",
        "Seed": "SeedSignature",
    }.items():
        with pytest.warns(
            DeprecationWarning, match=rf"^sigv4\.{old} is deprecated: use sigv4\.{new} instead$"
        ):
            assert getattr(sigv4, old) is getattr(sigv4, new)
    seed = SeedSignature(EAST, Credentials("AKID", "secret"), "20261126T120000Z", "0" * 64)
    with pytest.warns(DeprecationWarning, match=r"^SeedSignature\.instant .* use timestamp"):
        assert seed.instant == "20261126T120000Z"
