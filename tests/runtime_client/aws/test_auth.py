"""Tests of authentication.

By default, a call requests credentials for each attempt and signs the attempt with SigV4. An
operation can use another kind of authentication instead.
"""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from sagemaker_runtime_client import (
    CredentialProviderError,
    CredentialsError,
    NoCredentialsError,
    ParamValidationError,
    Request,
)
from sagemaker_runtime_client._aws.auth import CredentialsAuth, PreparedAuth, Unsigned
from sagemaker_runtime_client._aws.error_response import json_error
from sagemaker_runtime_client._aws.operation import Operation
from sigv4 import Credentials, Payload
from tests.runtime_client.calls import ENDPOINT, OK, answer, call, caller, refused
from tests.runtime_client.scripted_io import CREDENTIALS, START, ScriptedIO, run


def test_credentials_are_requested_for_each_attempt():
    """If credentials were rotated since the previous attempt, the next attempt is signed with the
    new ones.
    """
    keys = [Credentials("AKID1", "canary-secret1"), Credentials("AKID2", "canary-secret2")]
    io = ScriptedIO([answer(503), OK])
    run(caller(io, iter(keys).__next__).send(call()))
    assert [
        sent.verify(credentials=key).access_key_id for sent, key in zip(io.sent, keys, strict=True)
    ] == ["AKID1", "AKID2"]


def test_expired_credentials():
    """If the credentials have expired, the call raises a CredentialsError, and nothing is sent."""
    io = ScriptedIO([])
    expired = Credentials("AKID", "canary-secret", expiration=START)
    error = refused(io, of=caller(io, expired))
    assert (type(error), io.sent, error.attempts) == (CredentialsError, [], 0)


def test_provider_that_raises():
    """If a credentials provider raises an exception, the call raises a CredentialProviderError,
    whose cause is the exception. The error contains the provider's name and the exception's
    type, but not the exception's message.
    """

    def broken():
        raise KeyError("secret")

    io = ScriptedIO([])
    error = refused(io, of=caller(io, broken))
    assert (type(error), error.provider) == (CredentialProviderError, "FunctionProvider")
    assert "KeyError" in str(error)
    assert "secret" not in str(error)
    assert isinstance(error.__cause__, KeyError)


def test_provider_that_raises_a_client_error():
    """If a credentials provider raises one of this package's errors, the call raises the same
    error.
    """

    def none():
        raise NoCredentialsError("nothing", tried=("here",))

    io = ScriptedIO([])
    assert refused(io, of=caller(io, none)).tried == ("here",)


@pytest.mark.parametrize("given", [None, ("AKID", "secret"), "AKID"], ids=repr)
def test_provider_that_returns_another_type(given):
    """If a credentials provider returns anything but credentials, the call raises a
    CredentialProviderError whose `provider` attribute is the provider's name.
    """

    class Provider:
        def get(self):
            return given

        async def aget(self):
            return given

    io = ScriptedIO([])
    error = refused(io, of=caller(io, Provider()))
    assert (type(error), error.provider) == (CredentialProviderError, "Provider")


def test_unsignable_request():
    """If a request header contains a line break, the call raises a ParamValidationError, and
    nothing is sent.
    """
    io = ScriptedIO([])
    request = Request("POST", "/", (("x", "a\nb"),))
    with pytest.raises(ParamValidationError):
        run(caller(io).send(Operation(ENDPOINT, request, json_error)))
    assert io.sent == []


# ---- other kinds of authentication


class Dated(PreparedAuth):
    """An auth whose `apply` records the endpoint, the payload and the timestamp, and adds only one
    header, which contains the timestamp.
    """

    def __init__(self, *secrets):
        self.secrets = secrets
        self.seen = []

    def apply(self, endpoint, request, payload, timestamp):
        self.seen.append((endpoint, payload, timestamp))
        return request.with_headers([("x-dated", str(timestamp))])


def test_auth_of_a_call():
    """If an operation has its own auth, that auth is used instead of the client's auth and is
    applied to each attempt.
    """
    io = ScriptedIO([answer(500), OK])
    auth = Dated()

    def unasked():
        raise AssertionError

    run(caller(io, unasked).send(call(auth=auth, idempotent=True)))
    assert [seen[:2] for seen in auth.seen] == [(ENDPOINT, Payload.of(b"body"))] * 2
    assert [sent.header("x-dated") for sent in io.sent] == [str(seen[2]) for seen in auth.seen]
    assert auth.seen[0][2] < auth.seen[1][2]
    assert [sent.header("authorization") for sent in io.sent] == [None, None]


def test_clock_of_another_auth():
    """After a response that corrects the clock, an operation's own auth receives the corrected
    time.
    """
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([answer(403, "InvalidSignatureException", date=date), OK])
    auth = Dated()
    run(caller(io).send(call(auth=auth)))
    assert [seen[2] for seen in auth.seen] == [START, START + timedelta(hours=1)]


def test_unsigned():
    """With `Unsigned`, a request is sent without a signature; only the attempt headers are added."""
    io = ScriptedIO([OK])
    run(caller(io).send(call(auth=Unsigned())))
    names = {name for name, _ in io.sent[0].request.headers}
    assert names == {"x-amzn-one", "amz-sdk-invocation-id", "amz-sdk-request"}


def test_payload_is_hashed_once(monkeypatch):
    """The payload is hashed only once, even if a call makes several attempts."""
    hashed = []
    monkeypatch.setattr(Payload, "of", lambda body: hashed.append(body) or Payload.UNSIGNED)
    io = ScriptedIO([answer(503), OK])
    run(caller(io).send(call()))
    assert hashed == [b"body"]


@pytest.mark.parametrize(
    "auth",
    [CredentialsAuth(CREDENTIALS, "my-secret"), Unsigned("my-secret"), Dated("my-secret")],
    ids=["signed", "unsigned", "other"],
)
def test_secrets_of_an_auth(auth):
    """The secrets of an auth do not appear in an error message, even if the service's response
    repeats them. They appear neither in the auth's repr nor in the repr of an operation that
    uses the auth.
    """
    io = ScriptedIO([answer(400, "ValidationError", "not my-secret")])
    error = refused(io, auth=auth)
    assert error.message == "not ..."
    assert "my-secret" not in repr(call(auth=auth)) + repr(auth)
