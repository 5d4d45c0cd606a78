"""Sign and verify the requests of ``oracles.py`` with this package."""

from typing import NamedTuple

from sigv4 import (
    Credentials,
    Payload,
    SignableRequest,
    Signature,
    Signer,
    SigV4,
    Verified,
    sign_all_headers,
    verify,
)
from tests.sigv4.oracles import Headers, Unsigned


def make_signer(request: Unsigned) -> Signer:
    """Return a signer for *request* that signs the same headers as botocore."""
    return Signer(
        SigV4(request.service, request.region),
        signed_headers=sign_all_headers,
        content_sha256=request.s3 or request.unsigned_payload,
    )


def make_credentials(request: Unsigned) -> Credentials:
    """Return the credentials of *request*."""
    return Credentials(request.access_key_id, request.secret_access_key, request.session_token)


def signable(request: Unsigned) -> SignableRequest:
    """Convert a request to a `SignableRequest`."""
    payload = Payload.UNSIGNED if request.unsigned_payload else Payload.of(request.body)
    return SignableRequest(request.method, request.url, request.headers, payload)


def sign(request: Unsigned) -> Signature:
    """Sign a request in its headers with this package."""
    return make_signer(request).sign(signable(request), make_credentials(request), at=request.at)


def presign(request: Unsigned, expires: int) -> str:
    """Presign a request with this package, and return the URL."""
    return make_signer(request).presign(
        signable(request), make_credentials(request), at=request.at, expires=expires
    )


class Arrived(NamedTuple):
    """A signed request as a server receives it."""

    method: str
    url: str
    headers: Headers
    body: bytes


def send(request: Unsigned) -> Arrived:
    """Sign a request in its headers, and return it as a server receives it."""
    headers = [*request.headers, *sign(request).headers.items()]
    return Arrived(request.method, request.url, headers, request.body)


def send_presigned(request: Unsigned, expires: int) -> Arrived:
    """Presign a request, and return it as a server receives it."""
    return Arrived(request.method, presign(request, expires), request.headers, request.body)


def receive(arrived: Arrived, sent: Unsigned, **options: object) -> Verified:
    """Verify a received request with the sender's key, time, service and region."""
    known = make_credentials(sent)
    settings = {"at": sent.at, "service": sent.service, "region": sent.region, **options}
    request = SignableRequest(
        arrived.method, arrived.url, arrived.headers, Payload.of(arrived.body)
    )
    return verify(request, {known.access_key_id: known}, **settings)
