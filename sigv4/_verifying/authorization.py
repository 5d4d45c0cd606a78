"""Parses the signature of a request from its headers or its query.

This module checks only that no required part of the signature is missing or repeated; the modules
`candidate` and `verify` check the values.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
"""

from datetime import UTC
from urllib.parse import unquote

from attrs import field, frozen

from .._canonical import SIGNATURE_PARAMETERS
from .._errors import SignatureError
from .._limits import MOST_AUTHORIZATION_PARTS
from .._request import SignableRequest

_REQUIRED = tuple(
    f"X-Amz-{name}"
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
)
# The length of the longest parameter name if every character of the name is percent-encoded.
_LONGEST_NAME = 3 * max(map(len, SIGNATURE_PARAMETERS))


@frozen
class ParsedAuthorization:
    """The parsed signature of a request, from an Authorization header or a presigned URL.

    Attributes:
        algorithm: The algorithm's name, such as ``AWS4-HMAC-SHA256``.
        credential: The access key ID and the scope, ``KEY/SCOPE``.
        signed_headers: The names of the signed headers, joined by ``;``.
        signature: The signature, which should be hexadecimal.
        timestamp: The signing time, which should have the form ``20150830T123600Z``; empty if the
            request has no signing time.
        token: The session token, or None.
        expires: The value of ``X-Amz-Expires``, the validity of a presigned URL in seconds; None
            for a signature in headers.
        region_set: The region set of SigV4A; otherwise empty.
        query: The query without the signature.
        malformed_code: The error code for a malformed authorization, which depends on whether the
            authorization is in the headers or the query.
    """

    algorithm: str
    credential: str
    signed_headers: str
    signature: str = field(repr=False)
    timestamp: str
    token: str | None = field(repr=False)
    expires: str | None
    region_set: str
    query: str = field(repr=False)
    malformed_code: str


def parse_authorization(request: SignableRequest) -> ParsedAuthorization:
    """Parse a request's signature, which must be in its headers or in its query, but not in both."""
    if sum(name == "authorization" for name, _ in request.headers) > 1:
        raise SignatureError(
            "AuthorizationHeaderMalformed", "the request has more than one Authorization header"
        )
    authorization = request.header("authorization")
    parameters = _query_parameters(request.query)
    if authorization is not None and parameters:
        raise SignatureError(
            "InvalidArgument", "the request has a signature in both its headers and its query"
        )
    if authorization is not None:
        return _parse_header(request, authorization)
    if parameters:
        return _parse_query(request, parameters)
    raise SignatureError("MissingAuthenticationToken", "the request is not signed")


def _parse_header(request: SignableRequest, authorization: str) -> ParsedAuthorization:
    """Parse a header ``ALGORITHM Credential=..., SignedHeaders=..., Signature=...``."""
    algorithm, _, rest = authorization.partition(" ")
    if rest.count(",") >= MOST_AUTHORIZATION_PARTS:
        raise SignatureError(
            "AuthorizationHeaderMalformed",
            f"the Authorization header has more than {MOST_AUTHORIZATION_PARTS} parts",
        )
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip(" \t").partition("=")
        if name in parts:
            raise SignatureError(
                "AuthorizationHeaderMalformed", "the Authorization header has a repeated part"
            )
        parts[name] = value
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if missing:
        raise SignatureError(
            "IncompleteSignature", f"the Authorization header has no {', '.join(missing)}"
        )
    return ParsedAuthorization(
        algorithm=algorithm,
        credential=parts["Credential"],
        signed_headers=parts["SignedHeaders"],
        signature=parts["Signature"],
        timestamp=request.header("x-amz-date")
        or _read_signed_date(request, parts["SignedHeaders"]),
        token=request.header("x-amz-security-token"),
        expires=None,
        region_set=request.header("x-amz-region-set") or "",
        query=request.query,
        malformed_code="AuthorizationHeaderMalformed",
    )


def _read_signed_date(request: SignableRequest, signed_headers: str) -> str:
    """Return the time in a signed Date header, or an empty string if there is no such header.

    A value that cannot be parsed is returned unchanged.

    A signed Date header can replace x-amz-date.  Source: botocore 1.44, auth.py,
    SigV4Auth._set_necessary_date_headers.  botocore writes the signing time to the Date header if
    the request has one.
    """
    date = request.header("date")
    if date is None or "date" not in signed_headers.split(";"):
        return ""
    from email.utils import parsedate_to_datetime

    try:
        instant = parsedate_to_datetime(date)
        return f"{instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    except (ValueError, OverflowError):
        return date  # the date may have the form 20150830T123600Z


def _query_parameters(query: str) -> dict[str, str]:
    """Return the signature's parameters in the query, or an empty dict if there are none."""
    if "X-Amz-Signature" not in query and "X-Amz-Credential" not in query:
        return {}
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if "%" in name and len(name) <= _LONGEST_NAME:
            name = unquote(name)
        if name in SIGNATURE_PARAMETERS:
            if name in parameters:
                raise SignatureError(
                    "AuthorizationQueryParametersError", f"the query parameter {name} is repeated"
                )
            parameters[name] = unquote(value)
    return parameters


def _parse_query(request: SignableRequest, parameters: dict[str, str]) -> ParsedAuthorization:
    """Parse the signature of a presigned URL."""
    missing = [name for name in _REQUIRED if not parameters.get(name)]
    if missing:
        raise SignatureError(
            "AuthorizationQueryParametersError", f"the query has no {', '.join(missing)}"
        )
    unsigned = [
        pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature=")
    ]
    return ParsedAuthorization(
        algorithm=parameters["X-Amz-Algorithm"],
        credential=parameters["X-Amz-Credential"],
        signed_headers=parameters["X-Amz-SignedHeaders"],
        signature=parameters["X-Amz-Signature"],
        timestamp=parameters["X-Amz-Date"],
        token=parameters.get("X-Amz-Security-Token"),
        expires=parameters["X-Amz-Expires"],
        region_set=parameters.get("X-Amz-Region-Set", ""),
        query="&".join(unsigned),
        malformed_code="AuthorizationQueryParametersError",
    )
