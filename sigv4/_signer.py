"""
The signer: a request, credentials and an instant in; what to add to the request out.

Nothing here knows which algorithm it is, reads a clock or touches the request.
"""

from datetime import datetime

import sigv4

from ._algorithm import Algorithm
from ._canonical import (
    ALWAYS_SIGNED,
    DEFAULT,
    PRESIGNED,
    REPLACED,
    HeaderSelection,
    canonical_headers,
    canonical_path,
    canonical_query,
    string_to_sign,
    timestamp,
)
from ._credentials import Credentials
from ._errors import ExpiredCredentialsError, InvalidRequestError
from ._request import SignableRequest
from ._value import Value, set_part

# Signed for under these names, requests follow S3's own rules (endpoint rule sets of botocore
# 1.44: disableDoubleEncoding).
S3_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})


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

    __slots__ = __match_args__ = _names = (
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
        set_part(self, "headers", headers)
        set_part(self, "signature", signature)
        set_part(self, "signed_headers", signed_headers)
        set_part(self, "canonical_request", canonical_request)
        set_part(self, "string_to_sign", string_to_sign)

    # By identity: its headers are a dict, which has no hash.
    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is this very signature."""
        return object.__eq__(self, other)

    def __hash__(self) -> int:
        """Return the hash of this very signature."""
        return object.__hash__(self)


class Signer(Value):
    """
    Signs requests for one service, by header or as a presigned URL.

    Safe to share between threads.  Derived keys are kept for the day, and no longer than the
    credentials that they came from.

    Args:
        algorithm: `SigV4` (service and region) or another of its kind.
        s3: Whether S3's rules hold: the path as it stands, and ``x-amz-content-sha256`` sent.
            By default they do for services named ``s3``, ``s3express`` and the like.
        signed_headers: Which headers of a request are signed, by lower-case name: `DEFAULT`,
            `ALL_BUT_NEVER_SIGNED` or any function.  ``host`` and what the signer adds always are.
            With `DEFAULT`, a presigned URL signs all.
        normalize_path: Whether dot segments and empty ones go from the path before it is
            signed; all but S3 want it.
        double_encode: Whether the path is encoded once more before it is signed; likewise.
        content_sha256: Whether the payload's hash is sent as a header; S3 requires it.
        sign_session_token: Whether the session token is signed or only added, as AWS IoT wants it.
    """

    __slots__ = _names = (
        "algorithm",
        "s3",
        "signed_headers",
        "normalize_path",
        "double_encode",
        "content_sha256",
        "sign_session_token",
    )
    __match_args__ = ("algorithm",)

    algorithm: Algorithm
    s3: bool
    signed_headers: HeaderSelection
    normalize_path: bool
    double_encode: bool
    content_sha256: bool
    sign_session_token: bool

    def __init__(
        self,
        algorithm: Algorithm,
        *,
        s3: bool | None = None,
        signed_headers: HeaderSelection = DEFAULT,
        normalize_path: bool | None = None,
        double_encode: bool | None = None,
        content_sha256: bool | None = None,
        sign_session_token: bool = True,
    ) -> None:
        if s3 is None:
            s3 = algorithm.service in S3_SERVICES
        set_part(self, "algorithm", algorithm)
        set_part(self, "s3", s3)
        set_part(self, "signed_headers", signed_headers)
        set_part(self, "normalize_path", not s3 if normalize_path is None else normalize_path)
        set_part(self, "double_encode", not s3 if double_encode is None else double_encode)
        set_part(self, "content_sha256", s3 if content_sha256 is None else content_sha256)
        set_part(self, "sign_session_token", sign_session_token)

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
        algorithm, instant = self.algorithm, self.instant(credentials, at)
        scope = algorithm.scope(instant)
        payload_hash = request.header("x-amz-content-sha256") or request.payload.hash
        token = credentials.session_token
        tokens = {} if token is None else {"x-amz-security-token": token}
        added = {"x-amz-date": instant}
        if self.content_sha256:
            added["x-amz-content-sha256"] = payload_hash
        if algorithm.region_set is not None:
            added["x-amz-region-set"] = algorithm.region_set
        signed = self.headers_to_sign(request, REPLACED.union(added))
        signed += added.items()
        if self.sign_session_token:
            signed += tokens.items()
        lines, names = canonical_headers(signed)
        text = self.canonical_request(
            request, query_to_sign(request, PRESIGNED), lines, names, payload_hash
        )
        to_sign = string_to_sign(algorithm.name, instant, scope, text)
        signature = algorithm.sign_string(to_sign, credentials, instant)
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

    def seed(self, signature: Signature, credentials: Credentials) -> "sigv4.Seed":
        """
        Return what the chunks or events of a request's body are chained to.

        Args:
            signature: What `sign` returned for the request.
            credentials: Those that signed it.
        """
        from ._streaming.signature_chain import Seed

        instant = signature.headers["x-amz-date"]
        return Seed(self.algorithm, credentials, instant, signature.signature)

    def instant(self, credentials: Credentials, at: datetime) -> str:
        """Return the signing time as it is written, if *credentials* are still valid by then."""
        instant = timestamp(at)  # first, since it refuses what cannot be compared
        if credentials.expired(at):
            raise ExpiredCredentialsError(f"the credentials expired at {credentials.expiration}")
        return instant

    def headers_to_sign(
        self, request: SignableRequest, replaced: frozenset[str]
    ) -> list[tuple[str, str]]:
        """Return those headers of *request* that are signed and not *replaced*."""
        selected = self.signed_headers
        return [
            pair
            for pair in request.headers
            if pair[0] not in replaced and (pair[0] in ALWAYS_SIGNED or selected(pair[0]))
        ]

    def canonical_request(
        self, request: SignableRequest, query: str, headers: str, names: str, payload_hash: str
    ) -> str:
        """
        Return the canonical request: method and path of *request*, and what else is given.

        Args:
            request: Gives the method and the path.
            query: The canonical query, less the signature.
            headers: The canonical headers, each line with its end.
            names: Their names, joined by ``;``.
            payload_hash: The last line.
        """
        path = canonical_path(
            request.path, normalize=self.normalize_path, double_encode=self.double_encode
        )
        return "\n".join([request.method, path, query, headers, names, payload_hash])


def query_to_sign(request: SignableRequest, reserved: frozenset[str]) -> str:
    """Return the canonical query, if it has none of the *reserved* parameters."""
    query = canonical_query(request.query)
    if "X-Amz-" in query:
        names = {pair.partition("=")[0] for pair in query.split("&")}
        if found := sorted(names & reserved):
            raise InvalidRequestError(
                f"url is signed already: it has {', '.join(found)} in its query"
            )
    return query
