"""Hypothesis strategies for requests.

The strategies leave out the following cases, in which this package deliberately differs from
botocore or awscrt.  These cases have their own tests.

- botocore signs a query unchanged, so names and values have canonical encoding, except in
  `odd_queries`.
- botocore uses a ``Date`` header instead of ``X-Amz-Date``, and converts methods to uppercase.
- botocore treats all Unicode whitespace in a header value as whitespace; in HTTP, only spaces and
  tabs are.
- awscrt parses the path and the query as a URL (see `paths_without_colons` and `odd_queries`), and
  rejects or skips some headers (see `plain_headers`).
"""

from datetime import UTC, datetime

from hypothesis import strategies as st

from sigv4 import percent_encode
from tests.sigv4.oracles import Unsigned

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_BARE_IN_PATH = _UNRESERVED + "!$&'()*+,;=:@[]|"  # clients do not encode these characters in a path
_BARE_IN_QUERY = _UNRESERVED + "!$'()*,;:@/?+"

methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
services = st.sampled_from(["s3", "sagemaker", "execute-api", "sts"])
regions = st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1"])
times = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001 (Hypothesis adds the zone)
    datetime(2199, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_schemes = st.sampled_from(["http", "https", "HTTPS"])
_users = st.sampled_from(["", "", "user@", "user:pass@"])
_hosts = st.sampled_from(
    [
        "runtime.sagemaker.us-east-1.amazonaws.com",
        "Bucket.s3.Amazonaws.com",
        "127.0.0.1",
        "[::1]",
        "[2001:DB8::17]",
        "xn--bcher-kva.example",
    ]
)
_ports = st.sampled_from(["", "", ":80", ":443", ":8443", ":1"])

_bytes = st.integers(0, 255)


def _spelled(byte: int, bare: str, form: int) -> str:
    """Return *byte* unencoded if *form* is 0 and *bare* contains it, and otherwise percent-encoded.

    The hexadecimal digits are lowercase if *form* is 1, and uppercase otherwise.
    """
    if form == 0 and chr(byte) in bare:
        return chr(byte)
    return f"%{byte:02x}" if form == 1 else f"%{byte:02X}"


def _encoded(bare: str) -> st.SearchStrategy[str]:
    """Return a strategy for percent-encoded strings, in which bytes in *bare* may be unencoded."""
    byte = st.builds(_spelled, _bytes, st.just(bare), st.integers(0, 2))
    plain = st.sampled_from(bare)
    return st.lists(plain | byte, max_size=8).map("".join)


_segments = st.sampled_from(["", ".", "..", "...", "%2F", "%2e%2E", "a"]) | _encoded(_BARE_IN_PATH)
paths = st.lists(_segments, max_size=6).map(lambda segments: "/" + "/".join(segments))


def _without_colons(part: str) -> str:
    """Encode the colons in *part*, because awscrt parses the text before ``:/`` as a scheme."""
    return part.replace(":", "%3A")


paths_without_colons = paths.map(_without_colons)

_names = st.sampled_from(["", "a", "a1", "A", "a-", "prefix", "list-type"]) | st.text(max_size=4)
_pairs = st.tuples(_names, st.sampled_from(["", "1", "2", "b=c"]) | st.text(max_size=4))


def _written(pair: tuple[str, str], equals: bool) -> str:
    """Return a query parameter in canonical encoding, with or without ``=`` if the value is empty."""
    name, value = map(percent_encode, pair)
    return f"{name}={value}" if value or equals or not name else name


_written_pairs = st.builds(_written, _pairs, st.booleans())
queries = st.lists(_written_pairs, max_size=6).map("&".join)
queries_without_repeats = st.lists(
    _written_pairs, max_size=6, unique_by=lambda pair: pair.partition("=")[0]
).map("&".join)
odd_queries = (
    st.lists(
        st.sampled_from(["", "a=b=c", "a+b", "=", "*"])
        | st.tuples(_encoded(_BARE_IN_QUERY), _encoded(_BARE_IN_QUERY)).map("=".join),
        max_size=6,
    )
    .map("&".join)
    .map(_without_colons)
)

_signed_names = [
    "Content-Type",
    "Content-MD5",
    "Range",
    "X-Amz-Meta-A",
    "x-amz-meta-a",
    "X-Amzn-SageMaker-InputLocation",
    "X-Amzn-SageMaker-Custom-Attributes",
    "Cache-Control",
    "a",
]
_unsigned_names = ["User-Agent", "X-Amzn-Trace-Id", "TraceParent", "Connection", "Expect"]
# Letters of several alphabets, punctuation, space and tab.  Control characters are left out, and so
# is all other whitespace, which only botocore trims.
_values = st.text(
    st.characters(categories=["L", "N", "P", "S", "M"]) | st.sampled_from("  \t,"), max_size=12
)
headers = st.lists(st.tuples(st.sampled_from(_signed_names + _unsigned_names), _values), max_size=6)
plain_headers = st.lists(
    st.tuples(
        st.sampled_from(_signed_names),
        st.text(st.sampled_from("abc 12;=\"'é  \t,"), max_size=12),
    ),
    max_size=6,
)

_keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
_access_keys = st.text(st.sampled_from(_UNRESERVED[:36]), min_size=4, max_size=20)


def requests(
    paths: st.SearchStrategy[str] = paths,
    queries: st.SearchStrategy[str] = queries,
    headers: st.SearchStrategy = headers,
) -> st.SearchStrategy[Unsigned]:
    """Return a strategy for requests that uses the given strategies for paths, queries and headers."""
    urls = st.builds(
        lambda scheme, user, host, port, path, query: (
            f"{scheme}://{user}{host}{port}{path}" + (f"?{query}" if query else "")
        ),
        *(_schemes, _users, _hosts, _ports, paths, queries),
    )
    return st.builds(
        Unsigned,
        service=services,
        region=regions,
        access_key_id=_access_keys,
        secret_access_key=_keys,
        session_token=st.none() | _keys,
        at=times,
        method=methods,
        url=urls,
        headers=headers,
        body=st.binary(max_size=32),
        unsigned_payload=st.booleans(),
    ).map(_over_https_if_unsigned)


def _over_https_if_unsigned(request: Unsigned) -> Unsigned:
    """Use https if the body of *request* is unsigned, because over http, botocore signs the body."""
    if not request.unsigned_payload:
        return request
    rest = request.url.partition("://")[2]
    return request._replace(url=f"https://{rest}")
