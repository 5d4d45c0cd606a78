"""The derived keys: once a day, for all threads, and gone with their credentials."""

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sigv4 import Credentials, SignableRequest, Signer, SigV4

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = SignableRequest("GET", "https://h.example/")


def test_one_derivation_a_day():
    """A key is derived at the day's first signature, and the very same serves until the next day."""
    algorithm, key = SigV4("s3", "us-east-1"), Credentials("AKID", "secret")
    signer = Signer(algorithm)
    signer.sign(REQUEST, key, at=AT)
    _, first = algorithm._keys[key]
    signer.sign(REQUEST, key, at=AT + timedelta(hours=11))
    assert first is algorithm._keys[key][1]
    signer.sign(REQUEST, key, at=AT + timedelta(hours=12))
    assert first != algorithm._keys[key][1]
    assert len(algorithm._keys) == 1


def test_keys_go_with_their_credentials():
    """Neither credentials nor derived keys are held once their owner is gone."""
    algorithm, key = SigV4("s3", "us-east-1"), Credentials("AKID", "secret")
    Signer(algorithm).sign(REQUEST, key, at=AT)
    alive = weakref.ref(key)
    assert len(algorithm._keys) == 1
    del key
    gc.collect()
    assert alive() is None
    assert len(algorithm._keys) == 0


def test_keys_of_equal_algorithms_are_apart():
    """Two algorithms of the same service and region are equal, and share no keys."""
    one, other, key = SigV4("s3", "us-east-1"), SigV4("s3", "us-east-1"), Credentials("AK", "s")
    Signer(one).sign(REQUEST, key, at=AT)
    assert one == other
    assert len(other._keys) == 0


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
        assert expected == list(signed)


def test_repr_and_pickle_hold_no_keys():
    """An algorithm is shown and pickled by its service and region alone."""
    algorithm, key = SigV4("s3", "us-east-1"), Credentials("AKID", "secret")
    Signer(algorithm).sign(REQUEST, key, at=AT)
    assert repr(algorithm) == "SigV4(service='s3', region='us-east-1')"
    copy = pickle.loads(pickle.dumps(algorithm))
    assert algorithm == copy
    assert len(copy._keys) == 0
