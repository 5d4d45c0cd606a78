"""What values have in common."""

import copy
import pickle

import pytest

from sigv4 import Credentials, Payload, Signer, SigV4, SigV4A

EAST = SigV4("s3", "us-east-1")


def test_equality():
    """Values of one kind are equal where their parts are, and have one hash."""
    assert EAST == SigV4(region="us-east-1", service="s3")
    assert hash(EAST) == hash(SigV4("s3", "us-east-1"))
    assert EAST != SigV4("s3", "us-east-2")
    assert EAST != ("s3", "us-east-1")
    assert SigV4("s3", "*") != SigV4A("s3", "*")


def test_what_is_kept_apart():
    """A key that was derived makes no other value of its credentials."""
    used, new = Credentials("AKID", "secret"), Credentials("AKID", "secret")
    EAST.sign_string("text", used, "20261126T120000Z")
    assert used.derived_keys
    assert not new.derived_keys
    assert (used, hash(used)) == (new, hash(new))


def test_unchangeable():
    """No part is set, deleted or added."""
    with pytest.raises(AttributeError, match=r"SigV4\.region cannot be set; replace"):
        EAST.region = "us-east-2"
    with pytest.raises(AttributeError, match=r"SigV4\.color cannot be set"):
        EAST.color = "red"
    with pytest.raises(AttributeError, match=r"SigV4\.region cannot be deleted"):
        del EAST.region
    assert "us-east-1" == EAST.region


def test_replace():
    """Another value, checked as any; also by the name under which Python 3.13 looks for it."""
    assert SigV4("s3", "us-east-2") == EAST.replace(region="us-east-2")
    assert SigV4("sts", "us-east-1") == EAST.__replace__(service="sts")
    with pytest.raises(ValueError, match="region must be"):
        EAST.replace(region="")
    with pytest.raises(TypeError, match="color"):
        EAST.replace(color="red")


def test_repr():
    """Parts are shown by name."""
    assert "SigV4(service='s3', region='us-east-1')" == repr(EAST)


@pytest.mark.parametrize("value", [EAST, Payload.UNSIGNED, Signer(EAST, double_encode=True)])
def test_copies(value):
    """A copy, a deep one, and one by way of a pickle are equal."""
    twins = copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))
    assert (value, value, value) == twins
