"""Checks signatures, and builds the service's error for an invalid signature."""

import re
from datetime import UTC, datetime, timedelta

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
    method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> SignableRequest:
    """Return a raw request in the form that `verify` accepts.

    Args:
        method: The HTTP method.
        target: The path and query, percent-encoded.
        headers: All headers, as they arrived.
        body: The body as it arrived, possibly aws-chunked.

    Raises:
        RejectedRequestError: The percent-encoding of the target is invalid.
    """
    try:
        return SignableRequest(method, f"http://emulator{target}", headers, Payload.of(body))
    except InvalidRequestError:
        raise rejection(400, "InvalidURI", "Couldn't parse the specified URI.") from None


def authenticate(
    request: SignableRequest,
    body: bytes,
    target: Target,
    *,
    credentials: Credentials,
    region: str,
    at: datetime,
) -> tuple[bytes, dict[str, str]]:
    """Check the signature of a request and of its chunks if they are signed, and decode its body.

    Args:
        request: The request as it arrived.
        body: The body as it arrived, possibly aws-chunked.
        target: The target of the request, which determines the service.
        credentials: The only valid credentials.
        region: The region that the signature must be scoped to.
        at: The current time of the server's clock.

    Returns:
        The decoded body, and its trailers.

    Raises:
        RejectedRequestError: The signature or the body is invalid.  The error has the code and the
            message that the service would send.
    """
    try:
        known_keys = {credentials.access_key_id: credentials}
        verified = verify(request, known_keys, at=at, service=target.service, region=region)
        return _decode_body(request, verified, body)
    except SignatureError as error:
        if target.service == "s3":
            raise RejectedRequestError(_s3_error(error, request, region, at)) from None
        raise RejectedRequestError(_runtime_error(error, request, at)) from None


def parse_region(request: SignableRequest) -> str:
    """Return the region in the request's credential scope; empty if the request has no scope."""
    query = re.sub("%2[Ff]", "/", request.query)
    match = _credential(request.header("authorization") or query)
    return "" if match is None else match[1]


def _decode_body(
    request: SignableRequest, verified: Verified, body: bytes
) -> tuple[bytes, dict[str, str]]:
    """Return the body and its trailers.

    The body is decoded if the payload hash of the request states that the body is aws-chunked.
    """
    if not verified.payload_hash.startswith("STREAMING-"):
        return body, {}
    try:
        decoder = ChunkDecoder.of(request, verified)
    except ValueError:
        raise SignatureError(
            "InvalidArgument", "x-amz-content-sha256 does not name an aws-chunked payload"
        ) from None
    return b"".join(decoder.decode(body)), decoder.trailers


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
