"""Test the httpx request extension ``sigv4``.

Before a request is signed, the extension can set a scope; afterwards, it contains the signature.
"""

import pickle
from datetime import timedelta

import httpx
import httpx2
import pytest

from sigv4 import (
    Credentials,
    Difference,
    InvalidRequestError,
    Payload,
    SignableRequest,
    Signature,
    Signer,
    SigV4,
    SigV4A,
    explain,
)
from sigv4.httpx_auth import SigV4Auth, _BoundName, _scoped
from tests.sigv4.senders import AT, AWAITING, BLOCKING, KEY, make_auth, make_fixture, signed_by
from tests.sigv4.wire_server import WireServer

TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
START = "https://bucket.example/a"
SECRETS = {"x-amz-meta-a": "b", "X-Amz-Server-Side-Encryption-Customer-Key": "c2VjcmV0"}
send = make_fixture([*BLOCKING, *AWAITING])
libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


# Test scopes that apply to a single request.


def get_scope(request):
    """Return the scope in a request's Authorization header, without the date."""
    credential = request.headers["authorization"].partition("Credential=")[2].partition(",")[0]
    return credential.split("/", 2)[2]


SCOPES = {
    "service": ({"service": "es"}, "us-east-1/es/aws4_request"),
    "region": ({"region": "eu-west-1"}, "eu-west-1/sagemaker/aws4_request"),
    "both": ({"service": "s3", "region": "eu-west-1"}, "eu-west-1/s3/aws4_request"),
    "none": ({}, "us-east-1/sagemaker/aws4_request"),
}


@pytest.mark.parametrize(("scope", "expected"), SCOPES.values(), ids=SCOPES.keys())
def test_scope_of_a_request(scope, expected):
    """A scope in the extensions of a request applies only to that request."""
    auth = make_auth("sagemaker")
    assert get_scope(signed_by(auth, extensions={"sigv4": scope})) == expected
    assert get_scope(signed_by(auth)) == "us-east-1/sagemaker/aws4_request"


@pytest.mark.parametrize("service", ["s3", "execute-api"])
def test_rules_of_a_scope(service):
    """If the extensions contain another service, the rules of that service apply."""
    signed = signed_by(make_auth("sagemaker"), extensions={"sigv4": {"service": service}})
    expected = signed_by(make_auth(service))
    assert signed.headers == expected.headers
    assert (service == "s3") == ("x-amz-content-sha256" in signed.headers)


def test_rules_that_the_caller_set():
    """If the extensions contain another region, the signer's custom rules still apply."""
    auth = SigV4Auth(Signer(SigV4("mine", "us-east-1"), s3=True), KEY, now=lambda: AT)
    signed = signed_by(auth, extensions={"sigv4": {"region": "eu-west-1"}})
    assert "x-amz-content-sha256" in signed.headers


def test_region_set_of_a_request():
    """With SigV4A, a region set in the extensions of a request replaces the signer's."""
    auth = SigV4Auth(Signer(SigV4A("s3", "*")), KEY, now=lambda: AT)
    signed = signed_by(auth, extensions={"sigv4": {"region_set": "eu-*"}})
    assert signed.headers["x-amz-region-set"] == "eu-*"


def test_keys_of_a_scope_are_kept():
    """For equal signers and equal scopes, the scoped signer is created once and then reused."""
    signer = Signer(SigV4("sagemaker", "us-east-1"))
    scope = (("region", "eu-west-1"),)
    assert _scoped(signer, scope) is _scoped(Signer(SigV4("sagemaker", "us-east-1")), scope)


@pytest.mark.parametrize(
    "scope",
    ["eu-west-1", {"regoin": "eu-west-1"}, {"region_set": "*"}, {"region": ["eu-west-1"]}],
    ids=["no mapping", "misspelt", "of the other algorithm", "a list"],
)
def test_refused_scope(scope):
    """An invalid extension ``sigv4`` raises InvalidRequestError before a request is sent."""
    with pytest.raises(InvalidRequestError, match="extension sigv4 must be a mapping"):
        signed_by(make_auth("s3"), extensions={"sigv4": scope})


@pytest.mark.parametrize("scope", [{"service": "a/b"}, {"region": "us east\n1"}], ids=repr)
def test_impossible_scope(scope):
    """The error for an invalid service or region in the extension contains the argument's name."""
    (name,) = scope
    with pytest.raises(
        InvalidRequestError, match=f"extension sigv4: {name} must be 1 to 255 printable"
    ):
        signed_by(make_auth("s3"), extensions={"sigv4": scope})


def test_algorithm_without_scopes():
    """A scope for a custom algorithm without `replace` raises an error with the algorithm's name."""

    class Fixed:
        """An algorithm without a `replace` method."""

        service = "s3"

    with pytest.raises(InvalidRequestError, match=r"extension sigv4: Fixed has no replace method"):
        signed_by(SigV4Auth(Signer(Fixed()), KEY), extensions={"sigv4": {"region": "r"}})


# Test requests that are signed more than once.


@pytest.mark.parametrize("service", ["s3", "sagemaker"])
@libraries
def test_a_request_that_is_sent_again(library, service):
    """If a signed request is signed again, it gets the same headers as a new request."""
    request = library.Request("PUT", START, headers=SECRETS, content=b"body")
    fresh = library.Request("PUT", START, headers=SECRETS, content=b"body")
    later = {"now": lambda: AT + timedelta(hours=1)}
    next(make_auth(service, TEMPORARY, unsigned_payload=True).sync_auth_flow(request))
    next(make_auth(service, **later).sync_auth_flow(request))
    next(make_auth(service, **later).sync_auth_flow(fresh))
    assert fresh.headers == request.headers
    assert fresh.headers.raw == request.headers.raw


def test_headers_of_the_caller_are_kept():
    """If the caller has set a date and a hash, signing the request again does not change them."""
    own = {"x-amz-date": "20261122T110000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    request = httpx.Request("PUT", START, headers=own, content=b"body")
    for _ in range(2):
        next(make_auth("s3").sync_auth_flow(request))
        assert own == {name: request.headers[name] for name in own}


def test_a_token_of_other_credentials():
    """A session token and a region set that the signer does not use are removed."""
    headers = {"x-amz-security-token": "old", "x-amz-region-set": "*"}
    assert not headers.keys() & signed_by(make_auth("s3"), headers=headers).headers.keys()


@libraries
def test_signed_headers_behave_like_others(library):
    """A signed request's headers behave like ordinary httpx headers; deleting one keeps the others."""
    request = library.Request("GET", START, headers={"X-Amz-Meta-A": "b"})
    headers = next(make_auth("s3").sync_auth_flow(request)).headers
    assert headers["x-amz-date"] == "20261122T120000Z"
    assert headers.get_list("X-AMZ-META-A") == ["b"]
    assert headers["authorization"].count(",") == 2
    assert {*headers} == {name.lower().decode() for name, _ in headers.raw}
    assert pickle.loads(pickle.dumps(request)).headers == headers
    assert len({*headers.keys(), *(name for name, _ in headers.items())}) == len(headers)
    del headers["x-amz-meta-a"]
    assert ("x-amz-meta-a" in headers, "x-amz-date" in headers) == (False, True)
    assert {hash(key.lower()) for key in [_BoundName(b"x-amz-date")]} == {hash(b"x-amz-date")}


# Test signatures in the extensions of a request.


def test_the_signature_is_there(send):
    """In every client, `explain` accepts the signature in the extensions of the response's request."""
    theirs = []

    def respond(request):
        url = f"http://{server.address}{request.target}"
        headers = [pair for pair in request.headers if pair[0].lower() != b"authorization"]
        headers.append((b"x-amz-added", b"by a proxy"))
        seen = SignableRequest(request.method, url, headers, Payload.of(request.body))
        signer = Signer(SigV4("sagemaker", "us-east-1"))
        theirs.append(signer.sign(seen, KEY, at=AT).canonical_request)
        return 403, {}

    with WireServer(respond) as server:
        response = send(
            "PUT", f"http://{server.address}/a", content=b"b", auth=make_auth("sagemaker")
        )
    signature = response.request.extensions["sigv4"]
    assert isinstance(signature, Signature)
    assert response.request.headers["authorization"] == signature.headers["authorization"]
    answered = f"The Canonical String for this request should have been\n'{theirs[0]}'\n"
    assert (
        Difference("header x-amz-added", None, "by a proxy", "it was added after signing")
        in explain(answered, signature).differences
    )


@libraries
def test_the_scope_stays(library):
    """A request that is sent again keeps its scope, unless its extensions contain a new one."""
    request = library.Request("GET", START, extensions={"sigv4": {"region": "eu-west-1"}})
    for _ in range(3):
        next(make_auth("es").sync_auth_flow(request))
        assert get_scope(request) == "eu-west-1/es/aws4_request"
        assert isinstance(request.extensions["sigv4"], Signature)
    request.extensions = {**request.extensions, "sigv4": {"region": "eu-west-3"}}
    next(make_auth("es").sync_auth_flow(request))
    assert get_scope(request) == "eu-west-3/es/aws4_request"


@libraries
def test_an_extension_shows_no_secret(library):
    """The repr of the extensions contains neither the session token nor the signature."""
    request = library.Request("GET", START)
    next(make_auth("es", TEMPORARY).sync_auth_flow(request))
    assert "to-ken" not in repr(request.extensions)
    assert request.headers["authorization"].rpartition("=")[2] not in repr(request.extensions)


# Test invalid signers.

NO_SIGNERS = {
    "algorithm": SigV4("s3", "us-east-1"),
    "SigV4A": SigV4A("s3", "*"),
    "class": Signer,
    "name": "s3",
}


@pytest.mark.parametrize("signer", NO_SIGNERS.values(), ids=NO_SIGNERS)
def test_invalid_signers(signer):
    """A signer of the wrong type raises TypeError, and the message shows a correct example."""
    cure = r"signer must be a Signer, such as Signer\(SigV4\(service, region\)\), not \w+$"
    with pytest.raises(TypeError, match=cure):
        SigV4Auth(signer, KEY)
