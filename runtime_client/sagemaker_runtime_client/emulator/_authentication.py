"""Who sent this?  The signature of each request, and each service's words for a refusal."""

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

from ._reply import Refusal, RefusedError, refused
from ._target import Target

_MARGIN = timedelta(minutes=5)  # what services other than S3 allow a clock to be off
_credential = re.compile(r"Credential=[^/,&]+/[^/,&]+/([a-z0-9-]+)/").search

# sigv4's code: SageMaker's.  Whatever is not here is an InvalidSignatureException.
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
# sigv4's code: S3's, and the status.  Whatever is not here keeps its name, with 403.
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


def signable(
    method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> SignableRequest:
    """
    Return a request as it came off the wire, to be checked.

    Args:
        method: The method.
        target: Path and query, undecoded.
        headers: All of them, as they arrived.
        body: What arrived.

    Raises:
        RefusedError: The target is not percent-encoded as it must be.
    """
    try:
        return SignableRequest(method, f"http://emulator{target}", headers, Payload.of(body))
    except InvalidRequestError:
        raise refused(400, "InvalidURI", "Couldn't parse the specified URI.") from None


def authenticate(
    request: SignableRequest,
    body: bytes,
    target: Target,
    *,
    credentials: Credentials,
    region: str,
    at: datetime,
) -> tuple[bytes, dict[str, str]]:
    """
    Check the signature of a request, and of each chunk of its body if it came as aws-chunked.

    Args:
        request: The request as it came off the wire.
        body: What arrived.
        target: What it is addressed to, which says the service.
        credentials: The one key that is known.
        region: The region that the signature must be scoped to.
        at: What time it is, to the server.

    Returns:
        The body, out of its chunks, and the trailers that came with it.

    Raises:
        RefusedError: It is refused, in the words of the service.
    """
    try:
        secrets = {credentials.access_key_id: credentials}
        verified = verify(request, secrets, at=at, service=target.service, region=region)
        return _out_of_chunks(request, verified, body)
    except SignatureError as error:
        if target.service == "s3":
            raise RefusedError(_s3_refusal(error, request, region, at)) from None
        raise RefusedError(_runtime_refusal(error, request, at)) from None


def claimed_region(request: SignableRequest) -> str:
    """Return the region that a request says it is signed for; empty if it does not say."""
    query = re.sub("%2[Ff]", "/", request.query)
    match = _credential(request.header("authorization") or query)
    return "" if match is None else match[1]


def _out_of_chunks(
    request: SignableRequest, verified: Verified, body: bytes
) -> tuple[bytes, dict[str, str]]:
    """Return the body and the trailers of a request, whose form its payload hash tells."""
    if not verified.payload_hash.startswith("STREAMING-"):
        return body, {}
    try:
        decoder = ChunkDecoder.of(request, verified)
    except ValueError:
        raise SignatureError(
            "InvalidArgument", "x-amz-content-sha256 does not announce a body in chunks"
        ) from None
    return b"".join(decoder.decode(body)), decoder.trailers


def _runtime_refusal(error: SignatureError, request: SignableRequest, at: datetime) -> Refusal:
    """Return what SageMaker says."""
    code = _RUNTIME_CODES.get(error.code, "InvalidSignatureException")
    message = _RUNTIME_MESSAGES.get(error.code, error.message)
    if error.code == "RequestTimeTooSkewed":
        message = _skewed(request.header("x-amz-date") or "", at)
    return Refusal(403, code, message)


def _skewed(signed_at: str, at: datetime) -> str:
    """Return the sentence from which SDKs conclude that a clock is off."""
    now, earliest, latest = (
        f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}" for instant in (at, at - _MARGIN, at + _MARGIN)
    )
    if signed_at < earliest:
        return f"Signature expired: {signed_at} is now earlier than {earliest} ({now} - 5 min.)"
    return f"Signature not yet current: {signed_at} is still later than {latest} ({now} + 5 min.)"


def _s3_refusal(
    error: SignatureError, request: SignableRequest, region: str, at: datetime
) -> Refusal:
    """Return what S3 says."""
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
    return Refusal(status, code, error.message, details=details)
