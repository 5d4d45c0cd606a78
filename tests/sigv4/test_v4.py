"""Test that derived keys are cached per day, shared by threads, and freed with their credentials."""

import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sigv4 import Credentials, InvalidRequestError, SignableRequest, Signer, SigV4, SigV4A

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = SignableRequest("GET", "https://h.example/")


def test_one_derivation_a_day():
    """A key is derived for the first signature of a day, and reused for the rest of the day."""
    algorithm, key = SigV4("s3", "us-east-1"), Credentials("AKID", "secret")
    signer = Signer(algorithm)
    signer.sign(REQUEST, key, at=AT)
    [first] = key._derived_keys.values()
    signer.sign(REQUEST, key, at=AT + timedelta(hours=11))
    assert [*key._derived_keys.values()] == [first]
    signer.sign(REQUEST, key, at=AT + timedelta(hours=12))
    [second] = key._derived_keys.values()
    assert first != second


def test_keys_go_with_their_credentials():
    """When the last reference to credentials is removed, they and their derived keys are freed."""
    signer, key = Signer(SigV4("s3", "us-east-1")), Credentials("AKID", "secret")
    signer.sign(REQUEST, key, at=AT)
    alive = weakref.ref(key)
    del key
    assert alive() is None


def test_each_scope_has_its_key():
    """There is one derived key for each service and region, which equal algorithms share."""
    key = Credentials("AKID", "secret")
    for service, region in (
        ("s3", "us-east-1"),
        ("s3", "us-east-1"),
        ("s3", "eu-west-1"),
        ("a", "b"),
    ):
        Signer(SigV4(service, region)).sign(REQUEST, key, at=AT)
    assert len(key._derived_keys) == 3


def test_many_scopes_are_not_remembered():
    """For 300 regions, at most 64 derived keys are cached, and each signature is correct."""
    key = Credentials("AKID", "secret")
    for number in range(300):
        signer = Signer(SigV4("s3", f"region-{number}"))
        again = Credentials("AKID", "secret")
        assert signer.sign(REQUEST, key, at=AT).signature == (
            signer.sign(REQUEST, again, at=AT).signature
        )
    assert len(key._derived_keys) <= 64


def test_threads_share_a_signer():
    """Threads that share a signer compute correct signatures for different days and keys."""
    keys = [Credentials(f"AKID{number}", f"secret{number}") for number in range(5)]
    jobs = [
        (keys[number % 5], AT + timedelta(days=number % 7, seconds=number)) for number in range(800)
    ]
    expected = [
        Signer(SigV4("s3", "us-east-1")).sign(REQUEST, k, at=at).signature for k, at in jobs
    ]
    shared = Signer(SigV4("s3", "us-east-1"))
    with ThreadPoolExecutor(8) as pool:
        signed = pool.map(lambda job: shared.sign(REQUEST, job[0], at=job[1]).signature, jobs)
        assert list(signed) == expected


def test_repr_and_pickle():
    """The repr of an algorithm shows its service and region, and unpickling gives an equal one."""
    algorithm = SigV4("s3", "us-east-1")
    assert repr(algorithm) == "SigV4(service='s3', region='us-east-1')"
    assert pickle.loads(pickle.dumps(algorithm)) == algorithm


def test_derived_keys_stay_out_of_sight():
    """Derived keys do not affect the equality and repr of credentials, and `replace` drops them."""
    key, other = Credentials("AKID", "secret"), Credentials("AKID", "secret")
    Signer(SigV4("s3", "us-east-1")).sign(REQUEST, key, at=AT)
    assert (other, repr(other), hash(other)) == (key, repr(key), hash(key))
    assert key.replace()._derived_keys == {}


@pytest.mark.parametrize(
    "value", ["", "us east", "a\n1", "a/b", "a,b", "é", "a" * 256, None, 1], ids=repr
)
def test_impossible_scope(value):
    """The error for an invalid service or region contains the argument's name."""
    with pytest.raises(InvalidRequestError, match="service must be 1 to 255 printable ASCII"):
        SigV4(value, "us-east-1")
    with pytest.raises(InvalidRequestError, match="region must be 1 to 255 printable ASCII"):
        SigV4("s3", value)
    with pytest.raises(InvalidRequestError, match="service must be 1 to 255 printable ASCII"):
        SigV4A(value, "*")
