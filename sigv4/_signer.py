"""The signer, which computes headers or a URL from a request, credentials and a time.

The signer works with any algorithm, reads no clock and does not change the request.
"""

from __future__ import annotations

from datetime import datetime

from ._algorithm import SeedSignature, for_streams
from ._canonical import PRESIGNED, REPLACED, canonical_headers, string_to_sign
from ._credentials import Credentials
from ._request import SignableRequest
from ._signing_rules import SigningRules, canonical_request, query_to_sign
from ._value import Value


class Signature(Value):
    """The headers to add to a request, and the strings from which its signature was computed.

    Attributes:
        headers: The headers to set: ``x-amz-date``, ``authorization`` and, if required,
            ``x-amz-security-token``, ``x-amz-content-sha256`` and ``x-amz-region-set``.
        signature: The signature, in hexadecimal.
        signed_headers: The names of the signed headers.
        canonical_request: The canonical request.  If the service responds with
            SignatureDoesNotMatch, compare this string with the canonical request in the response,
            or call `explain`.  The string contains header values, including the session token.
        string_to_sign: The string to sign.
    """

    __slots__ = __match_args__ = (
        "headers",
        "signature",
        "signed_headers",
        "canonical_request",
        "string_to_sign",
    )
    _hidden = frozenset({"headers", "signature", "canonical_request", "string_to_sign"})

    headers: dict[str, str]
    signature: str
    signed_headers: tuple[str, ...]
    canonical_request: str
    string_to_sign: str

    def __init__(
        self,
        headers: dict[str, str],
        signature: str,
        signed_headers: tuple[str, ...],
        canonical_request: str,
        string_to_sign: str,
    ) -> None:
        self.headers = headers
        self.signature = signature
        self.signed_headers = signed_headers
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign

    # Signatures are compared by identity, because the dict `headers` cannot be hashed.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Signer(SigningRules):
    """Signs requests to one service: `sign` returns headers, `presign` returns a presigned URL.

    A signer can be shared between threads.  Derived keys are cached in the credentials object and
    are freed with it.

    Args:
        algorithm: A `SigV4` with the service and the region, a `SigV4A`, or another object with the
            same interface.
        s3: Whether to apply S3's rules: the path is signed unchanged, `sign` returns the header
            ``x-amz-content-sha256``, and `presign` signs the body only if the request has that
            header.  By default, these rules apply to the services ``s3``, ``s3express``,
            ``s3-object-lambda`` and ``s3-outposts``.
        signed_headers: A function that takes the lowercase name of a header and returns whether the
            header is signed, such as `sign_default_headers` or `sign_all_headers`.  ``host`` and
            the ``x-amz-*`` headers that the signer adds are always signed, except the session token
            if *sign_session_token* is False.  With `sign_default_headers`, `presign` signs all
            headers of the request.
        normalize_path: Whether to remove dot segments and empty segments from the path before
            signing, which all services except S3 require; by default, the opposite of *s3*.
        double_encode: Whether to percent-encode the path once more before signing, which all
            services except S3 require; by default, the opposite of *s3*.
        content_sha256: Whether to send the payload hash in the header ``x-amz-content-sha256``,
            which S3 requires; by default, the same as *s3*.
        sign_session_token: Whether the session token is signed.  AWS IoT requires that the token is
            added to the request unsigned.
    """

    __slots__ = ()

    def sign(
        self, request: SignableRequest, credentials: Credentials, *, at: datetime
    ) -> Signature:
        """Sign *request*, and return a `Signature` with the headers to add.

        Args:
            request: The request, which is not changed.  The returned headers replace the request's
                existing signature, signing time, region set and session token.  An existing
                ``x-amz-content-sha256`` header is kept and signed.
            credentials: The credentials with which the request is signed.
            at: The signing time, a datetime with a time zone.  Services reject a request whose
                signing time differs from the current time by more than 5 minutes (S3: 15 minutes).

        Returns:
            The headers to set, and the strings from which the signature was computed.

        Raises:
            InvalidRequestError: The URL is already presigned, because its query contains parameters
                of a signature.
            ExpiredCredentialsError: The credentials expired before *at*.
            ValueError: *at* has no time zone.
        """
        algorithm, timestamp = self.algorithm, self.signing_timestamp(credentials, at)
        scope = algorithm.scope(timestamp)
        payload_hash = request.header("x-amz-content-sha256") or request.payload.hash
        token = credentials.session_token
        tokens = {} if token is None else {"x-amz-security-token": token}
        added = {"x-amz-date": timestamp}
        if self.content_sha256:
            added["x-amz-content-sha256"] = payload_hash
        if algorithm.region_set is not None:
            added["x-amz-region-set"] = algorithm.region_set
        signed = self.headers_to_sign(request, REPLACED.union(added))
        signed += added.items()
        if self.sign_session_token:
            signed += tokens.items()
        lines, names = canonical_headers(signed)
        query = query_to_sign(request, PRESIGNED)
        text = canonical_request(self, request, query, lines, names, payload_hash)
        to_sign = string_to_sign(algorithm.name, timestamp, scope, text)
        signature = algorithm.sign_string(to_sign, credentials, timestamp)
        added |= tokens
        added["authorization"] = (
            f"{algorithm.name} Credential={credentials.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return Signature(added, signature, tuple(names.split(";")), text, to_sign)

    def presign(
        self, request: SignableRequest, credentials: Credentials, *, at: datetime, expires: int
    ) -> str:
        """Return the URL of *request*, with a signature in the query.

        Anyone who has the URL can send the request until the URL expires: treat the URL as a
        secret.

        Args:
            request: The request.  All its headers are signed, unless the signer has a custom
                selection.  A client that uses the URL must send the signed headers unchanged: for
                example, ``content-length`` fixes the length of an upload, and ``if-none-match: *``
                prevents overwriting.  For S3, the body is not signed, unless the request has an
                ``x-amz-content-sha256`` header with the hash of the body.
            credentials: The credentials with which the URL is signed.  If the credentials expire
                before the URL does, the URL expires with them.
            at: The time from which the URL is valid, a datetime with a time zone.
            expires: How long the URL is valid, in seconds: 1 to 604800 (a week).

        Raises:
            InvalidRequestError: *expires* is not an int or is out of range; the URL is already
                presigned; or the request has a header that a presigned URL cannot have, such as
                ``user-agent``, which may change in transit, or ``x-amz-date``, which the query
                replaces.
            ExpiredCredentialsError: The credentials expired before *at*.
            ValueError: *at* has no time zone.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
        """
        from ._presign import presign

        return presign(self, request, credentials, at=at, expires=expires)

    def seed(self, signature: Signature, credentials: Credentials) -> SeedSignature:
        """Return the seed of the signature chain for the chunks or events of the request's body.

        Args:
            signature: The return value of `sign` for the request.
            credentials: The credentials that signed the request.

        Raises:
            TypeError: The algorithm cannot sign streams.
        """
        timestamp = signature.headers["x-amz-date"]
        return SeedSignature(
            for_streams(self.algorithm), credentials, timestamp, signature.signature
        )
