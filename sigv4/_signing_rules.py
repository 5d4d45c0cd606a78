"""The rules for canonical requests, which are used for signing, presigning and verifying."""

from __future__ import annotations

from datetime import datetime

from ._algorithm import SigningAlgorithm
from ._canonical import (
    ALWAYS_SIGNED,
    HeaderSelection,
    canonical_path,
    canonical_query,
    format_timestamp,
    sign_default_headers,
)
from ._credentials import Credentials
from ._errors import ExpiredCredentialsError, InvalidRequestError
from ._request import SignableRequest
from ._value import Value

# Services that use S3's signing rules, according to botocore 1.44 (endpoint rule sets,
# disableDoubleEncoding).
S3_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})


class SigningRules(Value):
    """The signing rules of a service; the arguments are documented in the subclass `Signer`."""

    __slots__ = __match_args__ = (
        "algorithm",
        "s3",
        "signed_headers",
        "normalize_path",
        "double_encode",
        "content_sha256",
        "sign_session_token",
    )

    algorithm: SigningAlgorithm
    s3: bool
    signed_headers: HeaderSelection
    normalize_path: bool
    double_encode: bool
    content_sha256: bool
    sign_session_token: bool

    def __init__(
        self,
        algorithm: SigningAlgorithm,
        *,
        s3: bool | None = None,
        signed_headers: HeaderSelection = sign_default_headers,
        normalize_path: bool | None = None,
        double_encode: bool | None = None,
        content_sha256: bool | None = None,
        sign_session_token: bool = True,
    ) -> None:
        if s3 is None:
            s3 = algorithm.service in S3_SERVICES
        self.algorithm = algorithm
        self.s3 = s3
        self.signed_headers = signed_headers
        self.normalize_path = not s3 if normalize_path is None else normalize_path
        self.double_encode = not s3 if double_encode is None else double_encode
        self.content_sha256 = s3 if content_sha256 is None else content_sha256
        self.sign_session_token = sign_session_token

    def signing_timestamp(self, credentials: Credentials, at: datetime) -> str:
        """Check that *credentials* have not expired at *at*, and return *at* as a timestamp."""
        # This call must be first, because it rejects a time without a time zone.
        signed_at = format_timestamp(at)
        if credentials.expired(at):
            raise ExpiredCredentialsError(
                f"the credentials expired at {credentials.expiration}: load new ones"
            )
        return signed_at

    def headers_to_sign(
        self, request: SignableRequest, replaced: frozenset[str]
    ) -> list[tuple[str, str]]:
        """Return the headers of *request* that are to be signed, except those in *replaced*."""
        selected = self.signed_headers
        return [
            pair
            for pair in request.headers
            if pair[0] not in replaced and (pair[0] in ALWAYS_SIGNED or selected(pair[0]))
        ]


def query_to_sign(request: SignableRequest, reserved: frozenset[str]) -> str:
    """Return the canonical query, or raise InvalidRequestError if it has a parameter in *reserved*."""
    query = canonical_query(request.query)
    if "X-Amz-" in query:
        names = {pair.partition("=")[0] for pair in query.split("&")}
        if found := sorted(names & reserved):
            raise InvalidRequestError(f"url is already signed: its query has {', '.join(found)}")
    return query


def canonical_request(
    rules: SigningRules,
    request: SignableRequest,
    query: str,
    headers: str,
    names: str,
    payload_hash: str,
) -> str:
    """Encode the path, and join the parts of the canonical request.

    Args:
        rules: The rules by which the path is encoded.
        request: The request, whose method and path are used.
        query: The canonical query, without the signature.
        headers: The canonical headers, one per line; each line ends with LF.
        names: The names of the signed headers, joined by ``;``.
        payload_hash: The SHA-256 of the body, or a marker that replaces it.
    """
    path = canonical_path(
        request.path, normalize=rules.normalize_path, double_encode=rules.double_encode
    )
    return "\n".join([request.method, path, query, headers, names, payload_hash])
