"""Checks signatures, and builds the service's error for an invalid signature."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from attrs import frozen

from sigv4 import (
    ChunkDecoder,
    Credentials,
    InvalidRequestError,
    Payload,
    SignableRequest,
    SignatureError,
    Verified,
    verify,
)

from ._reply import ErrorResponse, RejectedRequestError, rejection
from ._target import Target

_TOLERANCE = timedelta(minutes=5)  # the clock skew that services other than S3 allow
_credential = re.compile(r"Credential=[^/,&]+/[^/,&]+/([a-z0-9-]+)/").search

# Maps sigv4's error codes to SageMaker's.  All other codes become InvalidSignatureException.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
_RUNTIME_CODES = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidAccessKeyId": "UnrecognizedClientException",
    "InvalidToken": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
}
_RUNTIME_MESSAGES = {
    "MissingAuthenticationToken": "Missing Authentication Token",
    "InvalidAccessKeyId": "The security token included in the request is invalid.",
    "InvalidToken": "The security token included in the request is invalid.",
    "ExpiredToken": "The security token included in the request is expired",
    "SignatureDoesNotMatch": "The request signature we calculated does not match the signature "
    "you provided. Check your AWS Secret Access Key and signing method.",
}
# Maps sigv4's error codes to S3's codes and HTTP statuses.  Any other code is kept, with status
# 403.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
_S3_CODES = {
    "AuthorizationHeaderMalformed": ("AuthorizationHeaderMalformed", 400),
    "AuthorizationQueryParametersError": ("AuthorizationQueryParametersError", 400),
    "BadDigest": ("BadDigest", 400),
    "EntityTooLarge": ("EntityTooLarge", 400),
    "ExpiredToken": ("ExpiredToken", 400),
    "IncompleteBody": ("IncompleteBody", 400),
    "IncompleteSignature": ("AuthorizationHeaderMalformed", 400),
    "InvalidArgument": ("InvalidArgument", 400),
    "InvalidRequest": ("InvalidRequest", 400),
    "InvalidToken": ("InvalidToken", 400),
    "MalformedTrailerError": ("MalformedTrailerError", 400),
    "MissingAuthenticationToken": ("AccessDenied", 403),
    "MissingContentLength": ("MissingContentLength", 411),
    "MissingSecurityHeader": ("MissingSecurityHeader", 400),
    "RequestExpired": ("AccessDenied", 403),
    "XAmzContentSHA256Mismatch": ("XAmzContentSHA256Mismatch", 400),
}


def build_signable_request(
    method: str, target: str, headers: list[tuple[bytes, bytes]], payload: Payload
) -> SignableRequest:
    """Return a raw request in the form that `verify` accepts.

    Args:
        method: The HTTP method.
        target: The path and query, percent-encoded.
        headers: All headers, as they arrived.
        payload: The payload hash of the body as it arrived, possibly aws-chunked.

    Raises:
        RejectedRequestError: The percent-encoding of the target is invalid.
    """
    try:
        return SignableRequest(method, f"http://emulator{target}", headers, payload)
    except InvalidRequestError:
        raise rejection(400, "InvalidURI", "Couldn't parse the specified URI.") from None


def declared_payload(headers: list[tuple[bytes, bytes]]) -> Payload:
    """Return the payload hash in the headers, which the signature covers.

    With it, a signature can be verified before the body arrives.
    """
    declared = dict(headers).get(b"x-amz-content-sha256", b"").decode("latin-1")
    is_valid = declared and declared.isascii() and declared.isprintable()
    return Payload(declared) if is_valid else Payload.EMPTY


@frozen
class Authenticator:
    """Verifies the signature of a request, and of its body.

    Attributes:
        request: The request as it arrived.
        target: The target of the request, which determines the service.
        credentials: The only valid credentials.
        region: The region that the signature must be scoped to.
        at: The current time of the server's clock.
    """

    request: SignableRequest
    target: Target
    credentials: Credentials
    region: str
    at: datetime

    def verify(self) -> "BodyVerifier":
        """Check the signature of the request, and return the verifier of its body.

        Raises:
            RejectedRequestError: The signature is invalid.  The error has the code and the message
                that the service would send.
        """
        known_keys = {self.credentials.access_key_id: self.credentials}
        try:
            verified = verify(
                self.request,
                known_keys,
                at=self.at,
                service=self.target.service,
                region=self.region,
            )
            return BodyVerifier(verified, self)
        except SignatureError as error:
            raise self.reject(error) from None

    def reject(self, error: SignatureError) -> RejectedRequestError:
        """Return the service's error for an invalid signature."""
        if self.target.service == "s3":
            return RejectedRequestError(_s3_error(error, self.request, self.region, self.at))
        return RejectedRequestError(_runtime_error(error, self.request, self.at))


class BodyVerifier:
    """Verifies the body of a request while it arrives, and decodes an aws-chunked body.

    Args:
        verified: What the signature of the request covers.
        authenticator: The authenticator of the request.

    Raises:
        SignatureError: The headers that describe the body are invalid.
    """

    def __init__(self, verified: Verified, authenticator: Authenticator) -> None:
        self._payload_hash = verified.payload_hash
        self._authenticator = authenticator
        self._digest = sha256() if _is_hash(verified.payload_hash) else None
        self._decoder: ChunkDecoder | None = None
        if verified.payload_hash.startswith("STREAMING-"):
            self._decoder = _chunk_decoder(authenticator.request, verified)

    def feed(self, data: bytes) -> bytes:
        """Add the next bytes as they arrived, and return the decoded bytes that are ready.

        Raises:
            RejectedRequestError: The body is invalid.
        """
        if self._digest is not None:
            self._digest.update(data)
        if self._decoder is None:
            return data
        try:
            return self._decoder.feed(data)
        except SignatureError as error:
            raise self._authenticator.reject(error) from None

    def finish(self) -> dict[str, str]:
        """Check that the whole body is valid, and return its trailers.

        Raises:
            RejectedRequestError: The body is truncated, or does not match the signature.
        """
        try:
            self._check_end()
        except SignatureError as error:
            raise self._authenticator.reject(error) from None
        return {} if self._decoder is None else self._decoder.trailers

    def _check_end(self) -> None:
        if self._digest is not None and self._digest.hexdigest() != self._payload_hash:
            raise SignatureError(
                "XAmzContentSHA256Mismatch", "the body does not match the signed payload hash"
            )
        if self._decoder is not None:
            self._decoder.finish()


def parse_region(request: SignableRequest) -> str:
    """Return the region in the request's credential scope; empty if the request has no scope."""
    query = re.sub("%2[Ff]", "/", request.query)
    match = _credential(request.header("authorization") or query)
    return "" if match is None else match[1]


def _is_hash(payload_hash: str) -> bool:
    """Return whether a payload hash is a digest, and not a marker such as UNSIGNED-PAYLOAD."""
    return "-" not in payload_hash


def _chunk_decoder(request: SignableRequest, verified: Verified) -> ChunkDecoder:
    try:
        return ChunkDecoder.of(request, verified)
    except ValueError:
        raise SignatureError(
            "InvalidArgument", "x-amz-content-sha256 does not name an aws-chunked payload"
        ) from None


def _runtime_error(error: SignatureError, request: SignableRequest, at: datetime) -> ErrorResponse:
    """Return SageMaker's error for an invalid signature."""
    code = _RUNTIME_CODES.get(error.code, "InvalidSignatureException")
    message = _RUNTIME_MESSAGES.get(error.code, error.message)
    if error.code == "RequestTimeTooSkewed":
        message = _skew_message(request.header("x-amz-date") or "", at)
    return ErrorResponse(403, code, message)


def _skew_message(signed_at: str, at: datetime) -> str:
    """Return the error message by which SDKs detect that the client's clock is wrong."""
    now, earliest, latest = (
        f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        for instant in (at, at - _TOLERANCE, at + _TOLERANCE)
    )
    if signed_at < earliest:
        return f"Signature expired: {signed_at} is now earlier than {earliest} ({now} - 5 min.)"
    return f"Signature not yet current: {signed_at} is still later than {latest} ({now} + 5 min.)"


def _s3_error(
    error: SignatureError, request: SignableRequest, region: str, at: datetime
) -> ErrorResponse:
    """Return S3's error for an invalid signature."""
    code, status = _S3_CODES.get(error.code, (error.code, 403))
    details: dict[str, str] = {}
    if code == "AuthorizationHeaderMalformed":
        details = {"Region": region}
    elif code == "RequestTimeTooSkewed":
        details = {
            "RequestTime": request.header("x-amz-date") or "",
            "ServerTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "MaxAllowedSkewMilliseconds": "900000",
        }
    return ErrorResponse(status, code, error.message, details=details)
