"""Test the classes and texts of errors, and that errors can be pickled."""

import pickle

import pytest

import sigv4
from sigv4 import SignatureError, SigV4Error

KINDS = [getattr(sigv4, name) for name in sigv4.__all__ if name.endswith("Error")]
ARGUMENTS = {SignatureError: ("Code", "text", "canonical", "to sign")}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_pickles(kind):
    """After unpickling, an error has the same type, text and arguments as before."""
    error = kind(*ARGUMENTS.get(kind, ("text",)))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.args) == (str(error), error.args)


def test_all_errors_are_sigv4_errors():
    """All public errors derive from SigV4Error."""
    errors = [getattr(sigv4, name) for name in sigv4.__all__ if name.endswith("Error")]
    assert [error for error in errors if not issubclass(error, SigV4Error)] == []


def test_signature_error():
    """The text of a SignatureError consists of its code and message, without the signed strings."""
    error = SignatureError("Code", "text", "canonical", "to sign")
    assert str(error) == "Code: text"
    assert repr(error) == "SignatureError('Code', 'text')"
    assert (error.canonical_request, error.string_to_sign) == ("canonical", "to sign")


def test_signature_error_pickles_without_the_canonical_request():
    """A SignatureError is pickled without the canonical request, which contains header values."""
    pickled = pickle.dumps(SignatureError("Code", "text", "canonical", "to sign"))
    assert b"canonical" not in pickled.replace(b"canonical_request", b"")
    assert pickle.loads(pickled).canonical_request is None
