"""Presigned URLs, which carry the signature in the query.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from datetime import datetime

from ._canonical import (
    NEVER_SIGNED,
    REPLACED,
    SIGNATURE_PARAMETERS,
    canonical_headers,
    canonical_query,
    sign_default_headers,
    string_to_sign,
)
from ._credentials import Credentials
from ._encoding import percent_encode
from ._errors import InvalidRequestError
from ._limits import LONGEST_EXPIRY
from ._payload import Payload
from ._request import SignableRequest
from ._signing_rules import SigningRules, canonical_request, query_to_sign


def presign(
    rules: SigningRules,
    request: SignableRequest,
    credentials: Credentials,
    *,
    at: datetime,
    expires: int,
) -> str:
    """Return the presigned URL; the arguments and errors are described in `Signer.presign`."""
    if type(expires) is not int or not 1 <= expires <= LONGEST_EXPIRY:
        raise InvalidRequestError(f"expires must be an integer, from 1 to {LONGEST_EXPIRY} seconds")
    given_query = query_to_sign(request, SIGNATURE_PARAMETERS)
    signed = _headers_to_sign(rules, request)
    algorithm, timestamp = rules.algorithm, rules.signing_timestamp(credentials, at)
    scope = algorithm.scope(timestamp)
    unsigned_body = Payload.UNSIGNED if rules.s3 else request.payload
    payload_hash = request.header("x-amz-content-sha256") or unsigned_body.hash
    lines, names = canonical_headers(signed)
    token = credentials.session_token
    tokens = {} if token is None else {"X-Amz-Security-Token": token}
    parameters = {
        "X-Amz-Algorithm": algorithm.name,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": names,
    }
    if algorithm.region_set is not None:
        parameters["X-Amz-Region-Set"] = algorithm.region_set
    if rules.sign_session_token:
        parameters |= tokens
    added = [(name, percent_encode(value)) for name, value in parameters.items()]
    query = canonical_query(given_query, added)
    text = canonical_request(rules, request, query, lines, names, payload_hash)
    to_sign = string_to_sign(algorithm.name, timestamp, scope, text)
    if not rules.sign_session_token:
        added += [(name, percent_encode(value)) for name, value in tokens.items()]
    added.append(("X-Amz-Signature", algorithm.sign_string(to_sign, credentials, timestamp)))
    base, _, before = request.url.partition("?")
    parts = [before] if before else []
    return f"{base}?{'&'.join(parts + [f'{name}={value}' for name, value in added])}"


def _headers_to_sign(rules: SigningRules, request: SignableRequest) -> list[tuple[str, str]]:
    """Return the headers to sign: all headers, unless the signer has a custom selection.

    A client that uses the URL must send the signed headers unchanged.

    Raises:
        InvalidRequestError: The request has a header that a presigned URL carries in its query, or
            a header that cannot be signed although all headers are to be signed.
    """
    names = [name for name, _ in request.headers]
    if replaced := REPLACED.intersection(names):
        raise InvalidRequestError(
            f"header {min(replaced)} must be removed, because a presigned URL carries its value in the query"
        )
    if rules.signed_headers is not sign_default_headers:
        return rules.headers_to_sign(request, REPLACED)
    if unsignable := NEVER_SIGNED.intersection(names):
        raise InvalidRequestError(
            f"header {min(unsignable)} cannot be signed, because proxies may change it: remove it"
        )
    return [*request.headers]
