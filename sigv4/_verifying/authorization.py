"""
What a request says of its own signature, in its headers or in its query.

Nothing is believed here; `verify` checks it.

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
_LONGEST_NAME = 3 * max(map(len, SIGNATURE_PARAMETERS))  # with each character escaped


@frozen
class ParsedAuthorization:
    """
    What a request says of its own signature, wherever it says it.

    Attributes:
        algorithm: The algorithm's name on the wire.
        credential: ``KEY/SCOPE``.
        signed_headers: Their names, joined by ``;``.
        signature: In hexadecimal, if it is one.
        timestamp: Like ``20150830T123600Z``, if it is one.
        token: The session token.
        expires: For how many seconds a presigned URL counts; None in headers.
        region_set: Of SigV4A; else empty.
        query: The query less the signature.
        malformed_code: The code for a fault in the claim's form.
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
    """Return what the request says of its signature, in the one place where it says it."""
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
    """Return the claim of ``Authorization: ALGORITHM Credential=, SignedHeaders=, Signature=``."""
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
    """
    Return the instant of a signed Date, which may stand in for x-amz-date; empty if there is none.

    Source: botocore 1.44, auth.py, SigV4Auth._set_necessary_date_headers, which writes it so where a
    request has one.
    """
    date = request.header("date")
    if date is None or "date" not in signed_headers.split(";"):
        return ""
    from email.utils import parsedate_to_datetime

    try:
        instant = parsedate_to_datetime(date)
        return f"{instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    except (ValueError, OverflowError):
        return date  # it may be like 20150830T123600Z


def _query_parameters(query: str) -> dict[str, str]:
    """Return what the query says of its signature, if it claims one at all."""
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
    """Return the claim of a presigned URL."""
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
