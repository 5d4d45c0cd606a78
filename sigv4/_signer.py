"""
The signer: a request, credentials and an instant in; what to add to the request out.

Nothing here knows which algorithm it is, reads a clock or touches the request.
"""

from datetime import datetime

from ._algorithm import SeedSignature, for_streams
from ._canonical import PRESIGNED, REPLACED, canonical_headers, string_to_sign
from ._credentials import Credentials
from ._request import SignableRequest
from ._signing_rules import SigningRules, canonical_request, query_to_sign
from ._value import Value


class Signature(Value):
    """
    What to add to a request, and how it came about.

    Attributes:
        headers: The headers to set: ``x-amz-date``, ``authorization`` and, where they apply,
            ``x-amz-security-token``, ``x-amz-content-sha256`` and ``x-amz-region-set``.
        signature: The signature itself, in hexadecimal.
        signed_headers: The names that it covers.
        canonical_request: What was hashed.  Compare it with the one in the service's answer when
            that says SignatureDoesNotMatch.  It holds header values, the session token's too.
        string_to_sign: What was signed.
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

    __eq__ = object.__eq__  # by identity: its headers are a dict, which has no hash
    __hash__ = object.__hash__


class Signer(SigningRules):
    """
    Signs requests for one service, by header or as a presigned URL.

    Safe to share between threads.  Derived keys are kept for the day, and no longer than the
    credentials that they came from.

    Args:
        algorithm: `SigV4` (service and region) or another of its kind.
        s3: Whether S3's rules hold: the path as it stands, and ``x-amz-content-sha256`` sent.
            By default they do for services named ``s3``, ``s3express`` and the like.
        signed_headers: Which headers of a request are signed, by lower-case name: `sign_default_headers`,
            `sign_all_headers` or any function.  ``host`` and what the signer adds always are.
            With `sign_default_headers`, a presigned URL signs all.
        normalize_path: Whether dot segments and empty ones go from the path before it is
            signed; all but S3 want it.
        double_encode: Whether the path is encoded once more before it is signed; likewise.
        content_sha256: Whether the payload's hash is sent as a header; S3 requires it.
        sign_session_token: Whether the session token is signed or only added, as AWS IoT wants it.
    """

    __slots__ = ()

    def sign(
        self, request: SignableRequest, credentials: Credentials, *, at: datetime
    ) -> Signature:
        """
        Sign *request* by headers.

        Args:
            request: Left as it is.  A signature, date or token in its headers is replaced; an
                ``x-amz-content-sha256`` header stands, and is then what is signed.
            credentials: Whose signature it is.
            at: The aware instant of signing.  Services refuse one that is more than 5 minutes
                (S3: 15) from theirs.

        Returns:
            The headers to set, with the texts that were signed.

        Raises:
            InvalidRequestError: The URL has parameters of a signature: it is presigned.
            ExpiredCredentialsError: The credentials ended before *at*.
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
        """
        Return the URL of *request* with the signature in its query.

        Whoever has the URL can send the request until it expires: treat it as a secret.

        Args:
            request: All its headers are signed, unless the signer was given a selection, and must
                be sent with the URL exactly as they are here: ``content-length`` limits an upload to
                that length, ``if-none-match: *`` keeps what is there.  For S3, the body is left
                unsigned.
            credentials: Whose signature it is.  The URL ends with them, if they end sooner.
            at: The aware instant from which the URL counts.
            expires: For how many seconds, 1 to 604800 (a week).

        Raises:
            InvalidRequestError: *expires* is no int, or out of range; the URL has parameters of a
                signature already; or a header cannot be signed, such as ``user-agent``, which may
                change on the way.
            ExpiredCredentialsError: The credentials ended before *at*.
            ValueError: *at* has no time zone.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
        """
        from ._presign import presign

        return presign(self, request, credentials, at=at, expires=expires)

    def seed(self, signature: Signature, credentials: Credentials) -> SeedSignature:
        """
        Return what the chunks or events of a request's body are chained to.

        Args:
            signature: What `sign` returned for the request.
            credentials: Those that signed it.

        Raises:
            TypeError: The algorithm signs requests alone.
        """
        timestamp = signature.headers["x-amz-date"]
        return SeedSignature(
            for_streams(self.algorithm), credentials, timestamp, signature.signature
        )
