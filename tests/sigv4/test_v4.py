"""The derived keys: once a day, for all threads, and gone with their credentials."""

import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sigv4 import Credentials, InvalidRequestError, SignableRequest, Signer, SigV4, SigV4A

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = SignableRequest("GET", "https://h.example/")


def test_one_derivation_a_day():
    """A key is derived at the day's first signature, and the very same serves until the next day."""
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
    """Neither credentials nor derived keys are held once their owner is gone."""
    signer, key = Signer(SigV4("s3", "us-east-1")), Credentials("AKID", "secret")
    signer.sign(REQUEST, key, at=AT)
    alive = weakref.ref(key)
    del key
    assert alive() is None


def test_each_scope_has_its_key():
    """Services and regions have keys of their own, and equal algorithms share one."""
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
    """However many regions requests name, few derived keys are held, and each signature is right."""
    key = Credentials("AKID", "secret")
    for number in range(300):
        signer = Signer(SigV4("s3", f"region-{number}"))
        again = Credentials("AKID", "secret")
        assert signer.sign(REQUEST, key, at=AT).signature == (
            signer.sign(REQUEST, again, at=AT).signature
        )
    assert len(key._derived_keys) <= 64


def test_threads_share_a_signer():
    """Many threads, many days and many keys on one signer give what one thread gives."""
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
    """An algorithm is shown and pickled by its service and region."""
    algorithm = SigV4("s3", "us-east-1")
    assert repr(algorithm) == "SigV4(service='s3', region='us-east-1')"
    assert pickle.loads(pickle.dumps(algorithm)) == algorithm


def test_derived_keys_stay_out_of_sight():
    """Credentials that have signed look the same, are equal to others, and give new ones no keys."""
    key, other = Credentials("AKID", "secret"), Credentials("AKID", "secret")
    Signer(SigV4("s3", "us-east-1")).sign(REQUEST, key, at=AT)
    assert (other, repr(other), hash(other)) == (key, repr(key), hash(key))
    assert key.replace()._derived_keys == {}


@pytest.mark.parametrize(
    "value", ["", "us east", "a\n1", "a/b", "a,b", "é", "a" * 256, None, 1], ids=repr
)
def test_impossible_scope(value):
    """What cannot be one part of a credential scope is refused, by the argument's name."""
    with pytest.raises(InvalidRequestError, match="service must be 1 to 255 printable ASCII"):
        SigV4(value, "us-east-1")
    with pytest.raises(InvalidRequestError, match="region must be 1 to 255 printable ASCII"):
        SigV4("s3", value)
    with pytest.raises(InvalidRequestError, match="service must be 1 to 255 printable ASCII"):
        SigV4A(value, "*")
