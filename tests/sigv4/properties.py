"""Properties of signatures that must hold for every request.

``test_properties.py`` checks each property with 500 examples, and ``tests/fuzz`` checks it with
many more.  `PROPERTIES` maps each check to the strategy for its argument.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from hypothesis import strategies as st

from sigv4 import (
    Credentials,
    InvalidRequestError,
    Payload,
    SignableRequest,
    SignatureError,
    SigV4Error,
    verify,
)
from tests.sigv4 import strategies as of
from tests.sigv4.oracles import (
    Unsigned,
    awscrt_presigns,
    awscrt_signs,
    botocore_presigns,
    botocore_signs,
)
from tests.sigv4.signing import Arrived, presign, receive, send, send_presigned, sign

EXPIRES = 3600
NOISE_KEY = Credentials("AKID", "secret")
EMPTY = Payload.EMPTY.hash
NOISE_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def headers_are_botocores(request: Unsigned) -> None:
    """Signing in headers gives botocore's result at each stage; `verify` accepts the signature."""
    expected, actual = botocore_signs(request), sign(request)
    assert actual.canonical_request == expected.canonical_request
    assert actual.string_to_sign == expected.string_to_sign
    assert actual.signature == expected.signature
    assert ";".join(actual.signed_headers) == expected.signed_headers
    assert receive(send(request), request).access_key_id == request.access_key_id


def urls_are_botocores(request: Unsigned) -> None:
    """A presigned URL has botocore's signature, and `verify` returns the same for both URLs."""
    expected = botocore_presigns(request, EXPIRES)
    arrived = send_presigned(request, EXPIRES)
    assert extract_signature(arrived.url) == expected.signature
    theirs = arrived._replace(url=expected.url)
    assert receive(arrived, request) == receive(theirs, request)


def headers_are_awscrts(request: Unsigned) -> None:
    """For any encoding of the query, a signature in headers is the same as awscrt's.

    botocore signs the query unchanged, but services decode it before they verify the signature:
    ``*`` and ``%2a`` become ``%2A``, ``a=b=c`` becomes ``a=b%3Dc``, ``a=1&&b=2`` becomes
    ``a=1&b=2``, and a plus becomes ``%2B``.  This package signs what services verify, as awscrt
    does.
    """
    names, signature = awscrt_signs(request)
    actual = sign(request)
    assert actual.signature == signature
    assert ";".join(actual.signed_headers) == names
    assert receive(send(request), request).access_key_id == request.access_key_id


def urls_are_awscrts(request: Unsigned) -> None:
    """A presigned URL has awscrt's signature, even with repeated parameters; `verify` accepts it."""
    assert extract_signature(presign(request, EXPIRES)) == awscrt_presigns(request, EXPIRES)
    arrived = send_presigned(request, EXPIRES)
    assert receive(arrived, request).access_key_id == request.access_key_id


def extract_signature(url: str) -> str:
    """Return the signature at the end of a presigned URL."""
    return url.rpartition("&X-Amz-Signature=")[2]


class Changed(NamedTuple):
    """A request, whether it is to be presigned, and a key of `CHANGES` or `OTHERS`."""

    request: Unsigned
    presigned: bool
    change: str


def changes_are_refused(case: Changed) -> None:
    """`verify` rejects a changed request if and only if the change affects the signed content.

    The signed content consists of the canonical request that botocore computes, and of the body
    unless the body is unsigned.
    """
    request, presigned, change = case
    sent = send_presigned(request, EXPIRES) if presigned else send(request)
    arrived = CHANGES[change](sent)
    body_counts = not request.unsigned_payload and not (presigned and request.s3)
    before = (_as_botocore_sees(sent, request), sent.body if body_counts else b"")
    after = (_as_botocore_sees(arrived, request), arrived.body if body_counts else b"")
    assert (before == after) == _accepts(arrived, request)


def other_scopes_are_refused(case: Changed) -> None:
    """A request is rejected if the key, secret, token, service, region or time is not the sender's."""
    request, presigned, other = case
    sent = send_presigned(request, EXPIRES) if presigned else send(request)
    assert not _accepts(sent, request._replace(**OTHERS[other](request)))


def noise_is_refused(arrived: Arrived) -> None:
    """A request with arbitrary signature parameters raises InvalidRequestError or SignatureError."""
    try:
        request = SignableRequest(arrived.method, arrived.url, arrived.headers)
        refused = verify(
            request, lambda _: NOISE_KEY, at=NOISE_AT, service="s3", region="us-east-1"
        )
    except (InvalidRequestError, SignatureError) as error:
        refused = error
    assert isinstance(refused, SigV4Error)


def _accepts(arrived: Arrived, request: Unsigned) -> bool:
    """Return whether `verify` accepts *arrived*; errors other than SignatureError propagate."""
    try:
        receive(arrived, request)
    except SignatureError:
        return False
    return True


def _as_botocore_sees(arrived: Arrived, request: Unsigned) -> str:
    """Return the canonical request that botocore computes for *arrived* and its signed headers."""
    authorization = dict(arrived.headers).get("authorization")
    path, _, query = arrived.url.partition("?")
    pairs = [pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature=")]
    if authorization is None:
        kind = S3SigV4QueryAuth if request.s3 else SigV4QueryAuth
        signed = next(p for p in pairs if p.startswith("X-Amz-SignedHeaders="))
        names = signed.partition("=")[2].split("%3B")
    else:
        kind = S3SigV4Auth if request.s3 else SigV4Auth
        names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = f"{path}?{'&'.join(pairs)}"
    seen = AWSRequest(arrived.method, url, data=arrived.body)
    for name, value in arrived.headers:
        if name.lower() in names:
            seen.headers.add_header(name, value.strip(" \t"))  # HTTP parsers strip values, too
    return kind(None, request.service, request.region).canonical_request(seen)


def _on_path(change):
    def changed(sent: Arrived) -> Arrived:
        parts = urlsplit(sent.url)
        return sent._replace(url=parts._replace(path=change(parts.path)).geturl())

    return changed


def _on_query(change):
    def changed(sent: Arrived) -> Arrived:
        parts = urlsplit(sent.url)
        query = "&".join(change([pair for pair in parts.query.split("&") if pair]))
        return sent._replace(url=parts._replace(query=query).geturl())

    return changed


def _on_headers(change):
    return lambda sent: sent._replace(headers=change(sent.headers))


def _each_value(change):
    """Return a function that applies *change* to the value of each header except ``authorization``."""
    return _on_headers(
        lambda headers: [
            (name, value if name == "authorization" else change(value)) for name, value in headers
        ]
    )


CHANGES = {
    "nothing": lambda sent: sent,
    "another method": lambda sent: sent._replace(method="GET" if sent.method != "GET" else "PUT"),
    "a longer path": _on_path(lambda path: path + "/x"),
    "a shorter path": _on_path(lambda path: path.rpartition("/")[0] or "/"),
    "a closing slash": _on_path(lambda path: path + "/"),
    "a double slash": _on_path(lambda path: "/" + path),
    "a dot segment": _on_path(lambda path: "/." + path),
    "a segment and back": _on_path(lambda path: "/x/.." + path),
    "a path in lower case": _on_path(str.lower),
    "one more pair": _on_query(lambda pairs: [*pairs, "zz=1"]),
    "an empty pair": _on_query(lambda pairs: [*pairs, "="]),
    "a pair twice": _on_query(lambda pairs: pairs + [p for p in pairs[:1] if p[:2] != "X-"]),
    "one pair less": _on_query(lambda pairs: pairs[1:]),
    "another order": _on_query(lambda pairs: pairs[::-1]),
    "one more value": _on_headers(lambda headers: [*headers, ("Range", "bytes=0-1")]),
    "an unsigned header": _on_headers(lambda headers: [*headers, ("Via", "1.1 proxy")]),
    "no content type": _on_headers(
        lambda headers: [pair for pair in headers if pair[0] != "Content-Type"]
    ),
    "reversed headers": _on_headers(lambda headers: headers[::-1]),
    "names in capitals": _on_headers(
        lambda headers: [
            (name if name == "authorization" else name.upper(), value) for name, value in headers
        ]
    ),
    "surrounding spaces": _each_value(lambda value: f" \t{value}  "),
    "double spaces": _each_value(lambda value: value.replace(" ", "  ")),
    "values in lower case": _each_value(lambda value: value.lower().replace("z", "Z")),
    "a longer body": lambda sent: sent._replace(body=sent.body + b"x"),
    "no body": lambda sent: sent._replace(body=b""),
}

OTHERS = {
    "service": lambda _: {"service": "glacier"},
    "region": lambda request: {"region": f"{request.region}x"},
    "key": lambda request: {"access_key_id": f"{request.access_key_id}X"},
    "secret": lambda request: {"secret_access_key": f"{request.secret_access_key}x"},
    "token": lambda request: {"session_token": f"{request.session_token}x"},
    "day": lambda request: {"at": request.at.replace(year=request.at.year + 1, day=1)},
}


def _body_signed_unless_s3(request: Unsigned) -> Unsigned:
    """Return *request*, but with its body signed if it is not for S3.

    Only S3 accepts presigned URLs whose body is unsigned.
    """
    return request if request.s3 else request._replace(unsigned_payload=False)


def _changed(names) -> st.SearchStrategy[Changed]:
    """Return a strategy for cases, presigned or not, each with one of *names* as its change."""
    signed = st.builds(Changed, of.requests(), st.just(False), st.sampled_from(list(names)))
    to_presign = of.requests(queries=of.queries_without_repeats).map(_body_signed_unless_s3)
    return signed | st.builds(Changed, to_presign, st.just(True), st.sampled_from(list(names)))


def _or_noise(*good: str) -> st.SearchStrategy[str]:
    """Return a strategy for one part of a signed request: usually one of *good*, or any string."""
    noise = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=4)
    return st.one_of(*[st.sampled_from(good)] * 6, noise)


_claims = st.fixed_dictionaries(
    {
        "Algorithm": _or_noise("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        "Credential": _or_noise(
            "AKID/20261122/us-east-1/s3/aws4_request", "AKID/20261122/s3/aws4_request"
        ),
        "Date": _or_noise("20261122T120000Z", "20261122T115900Z"),
        "Expires": _or_noise("60", "604800"),
        "SignedHeaders": _or_noise("host", "host;x-amz-content-sha256;x-amz-date", "x;host"),
        "Signature": _or_noise("0" * 64, "3006020101020101"),
    },
    optional={
        "Content-Sha256": _or_noise("UNSIGNED-PAYLOAD", "0" * 64, EMPTY),
        "Region-Set": _or_noise("*", "us-*,eu-west-1"),
        "Security-Token": _or_noise("token"),
    },
)


def _claimed_in_headers(claims: dict[str, str], joint: str) -> Arrived:
    """Return a request whose headers contain *claims*, the parts of a signature."""
    authorization = f"{claims['Algorithm']} " + joint.join(
        f"{name}={claims[name]}" for name in ("Credential", "SignedHeaders", "Signature")
    )
    in_headers = ("Date", "Content-Sha256", "Region-Set", "Security-Token")
    named = [(f"x-amz-{name}", claims[name]) for name in in_headers if name in claims]
    headers = [("authorization", authorization), *named]
    return Arrived("GET", "https://h.example/", headers, b"")


def _claimed_in_query(claims: dict[str, str], joint: str) -> Arrived:
    """Return a request whose query contains *claims*, the parts of a signature."""
    query = joint.join(f"X-Amz-{name}={quote(value)}" for name, value in claims.items())
    return Arrived("GET", f"https://h.example/?{query}", [], b"")


_noise = st.builds(
    _claimed_in_headers, _claims, st.sampled_from([", ", ", ", ",", " ", ", Signature=0,"])
) | st.builds(
    _claimed_in_query, _claims, st.sampled_from(["&", "&", "&", "&&", "=", "&X-Amz-Date"])
)

_for_awscrt = of.requests(
    paths=of.paths_without_colons, queries=of.odd_queries, headers=of.plain_headers
)
PROPERTIES = {
    headers_are_botocores: of.requests(),
    urls_are_botocores: of.requests(queries=of.queries_without_repeats).map(_body_signed_unless_s3),
    headers_are_awscrts: _for_awscrt,
    urls_are_awscrts: _for_awscrt.map(_body_signed_unless_s3),
    changes_are_refused: _changed(CHANGES),
    other_scopes_are_refused: _changed(OTHERS),
    noise_is_refused: _noise,
}
