"""Write test vectors to ``fixtures/sigv4``: requests invented for this project, signed by botocore.

    python -m tests.regenerate_sigv4

The same input always gives the same files.  If the input is unchanged, any difference that ``git
diff`` shows is due to botocore.  botocore signs some queries as they are written, although services
decode them first.  Therefore, for each of these queries, this script has botocore sign the
canonical form, and checks that awscrt computes the same signature for the query as it is written.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.sigv4.oracles import (
    Unsigned,
    awscrt_signs,
    botocore_presigns,
    botocore_signs,
    from_fixture,
)

FOLDER = Path(__file__).parent.parent / "fixtures" / "sigv4"

Case = dict[str, Any]

_BASE: Case = {
    "service": "sagemaker",
    "region": "us-east-1",
    "credentials": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"},
    "instant": "20261122T120000Z",
    "method": "GET",
    "url": "https://runtime.sagemaker.us-east-1.amazonaws.com/",
    "headers": [],
    "body": "",
    "unsigned_payload": False,
}
_S3: Case = {"service": "s3", "url": "https://my-bucket.s3.us-east-1.amazonaws.com/"}
_WITH_TOKEN: Case = {"credentials": {**_BASE["credentials"], "session_token": "TO/KEN+=="}}

_PATHS = {
    "root": "/",
    "segments": "/a/b/c",
    "closing slash": "/a/b/",
    "double slash": "/a//b",
    "double slash first": "//a",
    "only slashes": "///",
    "closing double slash": "/a//",
    "dot": "/a/./b",
    "dot last": "/a/.",
    "dot with slash last": "/a/./",
    "dots": "/a/../b",
    "dots last": "/a/b/..",
    "dots above the root": "/../../a",
    "dots and double slashes": "/a//../b",
    "three dots": "/a/.../b",
    "hidden file": "/.a/..b/c.",
    "encoded slash": "/a%2Fb",
    "encoded slash in lower case": "/a%2fb",
    "encoded dots": "/a/%2E%2E/b",
    "encoded blank": "/a%20b",
    "encoded percent": "/100%25",
    "encoded twice": "/a%2520b",
    "bare punctuation": "/!$&'()*+,;=:@",
    "unreserved": "/-._~",
    "encoded unreserved": "/%2D%2e%5F%7E%41",
    "UTF-8": "/b%C3%BCcher/%E6%9C%AC",
    "not UTF-8": "/%FF%FE",
    "every byte": "/" + "".join(f"%{byte:02X}" for byte in range(256)),
    "every byte as it is written": "/" + quote(bytes(range(256)), safe=""),
    "ARN": "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Amodel%2Fm/invoke",
}

_QUERIES = {
    "one": "a=1",
    "mark alone": "",
    "order": "b=2&a=1",
    "order of repeated": "a=2&a=1&a=10",
    "same twice": "a=1&a=1",
    "name that goes on": "a=1&a1=2",
    "name that goes on with a dash": "a-b=1&a=2",
    "capitals first": "a=1&B=2",
    "no value": "lifecycle",
    "no value beside an empty one": "acl&acl=",
    "empty value": "a=&b=",
    "empty name": "=1",
    "empty name and value": "=",
    "blank": "a%20b=c%20d",
    "plus": "a=1%2B2",
    "delimiters": "a=%26%3D%3F%23%2F%3B",
    "unreserved": "-._~=-._~",
    "UTF-8": "%C3%BC=%E6%9C%AC",
    "not UTF-8": "a=%FF",
    "every byte": "a=" + quote(bytes(range(256)), safe="-._~"),
    "names in order of their encoding": "%C3%BC=1&z=2&~=3&A=4",
}

# Maps a name to a query as it is sent, and to its canonical form, which is signed.
_ODD_QUERIES = {
    "bare asterisk": ("a=*", "a=%2A"),
    "lower-case escape": ("a=%2a", "a=%2A"),
    "bare punctuation": ("a=!$'(),;:@/?", "a=%21%24%27%28%29%2C%3B%3A%40%2F%3F"),
    "escaped unreserved": ("%61=%7E", "a=~"),
    "equals in the value": ("a=b=c", "a=b%3Dc"),
    "empty pairs": ("&a=1&&b=2&", "a=1&b=2"),
    "plus is not a blank": ("a=1+2", "a=1%2B2"),
    "order after decoding": ("%62=1&a=2", "a=2&b=1"),
}

_HEADERS = {
    "content type": [["Content-Type", "application/json"]],
    "case of names": [["X-AMZ-Meta-A", "1"], ["x-amz-META-b", "2"]],
    "outer blanks": [["X-Amz-Meta-A", "  a  "]],
    "inner blanks": [["X-Amz-Meta-A", "a   b \t c"]],
    "blanks in quotes": [["X-Amz-Meta-A", '"a   b"']],
    "tabs": [["X-Amz-Meta-A", "\ta\tb\t"]],
    "empty value": [["X-Amzn-SageMaker-Accept", ""]],
    "only blanks": [["X-Amzn-SageMaker-Accept", "   "]],
    "repeated": [["X-Amz-Meta-A", "2"], ["X-Amz-Meta-A", "1"], ["x-amz-meta-a", "2"]],
    "repeated with blanks": [["X-Amz-Meta-A", " 2 "], ["X-Amz-Meta-A", ""], ["X-Amz-Meta-A", "1"]],
    "comma in value": [["X-Amz-Meta-A", "a, b,c"]],
    "UTF-8": [["X-Amz-Meta-A", "bücher 本"]],
    "order": [["X-Amz-B", "1"], ["X-Amz-A", "2"], ["X-Amz-A-B", "3"], ["Range", "bytes=0-9"]],
    "never signed": [
        ["User-Agent", "test"],
        ["X-Amzn-Trace-Id", "Root=1"],
        ["Connection", "close"],
        ["Expect", "100-continue"],
        ["TraceParent", "00"],
        ["Transfer-Encoding", "chunked"],
    ],
    "stale signature": [
        ["Authorization", "AWS4-HMAC-SHA256 Credential=old"],
        ["X-Amz-Date", "20200101T000000Z"],
        ["X-Amz-Security-Token", "old"],
    ],
}

_HOSTS = {
    "default port of https": "https://h.example:443/",
    "default port of http": "http://h.example:80/",
    "http's port on https": "https://h.example:80/",
    "another port": "http://h.example:8080/",
    "capitals": "HTTPS://H.Example:443/",
    "IPv4": "http://127.0.0.1:9000/",
    "IPv6": "http://[::1]/",
    "IPv6 and port": "http://[2001:DB8::1]:8080/",
    "IPv6 and default port": "https://[::1]:443/",
    "user": "https://user@h.example/",
    "user and password": "https://user:p%40ss@h.example:8443/a",
    "no path": "https://h.example",
    "no path but a query": "https://h.example?a=1",
}

_PAYLOADS = {
    "none": {},
    "text": {"body": '{"a":1}'},
    "UTF-8": {"body": "bücher 本"},
    "unsigned": {"body": "x", "unsigned_payload": True},
    "with token": {"body": "x", **_WITH_TOKEN},
    "unsigned with token": {"body": "x", "unsigned_payload": True, **_WITH_TOKEN},
}

_ENDPOINT = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/{}/async-invocations"
_INPUT = ["X-Amzn-SageMaker-InputLocation", "s3://my-bucket/in.json"]
# Requests in the form in which a botocore client sends them.  The signatures of a real client are
# in test_vectors.py.
_SAGEMAKER = {
    "input location": {"headers": [_INPUT]},
    "all headers": {
        "headers": [
            ["X-Amzn-SageMaker-Content-Type", "application/json"],
            ["X-Amzn-SageMaker-Accept", "application/json"],
            ["X-Amzn-SageMaker-Custom-Attributes", "  a=b,   c  "],
            ["X-Amzn-SageMaker-Inference-Id", "id-1"],
            _INPUT,
            ["X-Amzn-SageMaker-S3OutputPathExtension", "team/out"],
            ["X-Amzn-SageMaker-Filename", "answer.json"],
            ["X-Amzn-SageMaker-RequestTTLSeconds", "3600"],
            ["X-Amzn-SageMaker-InvocationTimeoutSeconds", "900"],
        ],
        **_WITH_TOKEN,
    },
    "inline body": {
        "headers": [["X-Amzn-SageMaker-Content-Type", "application/json"]],
        "body": '{"a":1}',
    },
    "name to be encoded": {
        "url": _ENDPOINT.format("a%20b%2Fc"),
        "headers": [["X-Amzn-SageMaker-InputLocation", "s3://b/k"]],
    },
    "another day and region": {
        "instant": "20270101T000000Z",
        "region": "eu-west-1",
        "headers": [_INPUT],
    },
}


def _request(case: Case) -> Unsigned:
    """Return the request in *case*, without the headers that botocore and awscrt add."""
    request = from_fixture(case)
    added = {"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}
    return request._replace(headers=[pair for pair in request.headers if pair[0] not in added])


def _with_rules(name: str, case: Case) -> Iterator[Case]:
    """Yield *case* twice: with the rules for most services, and with S3's rules."""
    yield {"name": name, **_BASE, **case}
    yield {"name": f"{name} (S3)", **_BASE, **_S3, **case}


def _at(url: str, s3_url: str, name: str) -> Iterator[Case]:
    """Yield a case with a GET request for *url*, and one with S3's rules for *s3_url*."""
    yield {"name": name, **_BASE, "url": url}
    yield {"name": f"{name} (S3)", **_BASE, **_S3, "url": s3_url}


def _on_the_wire(case: Case) -> bool:
    """Return whether botocore signs the same path that a client sends.

    botocore's S3 signer signs an empty path unchanged, although clients send "/" instead.
    """
    return case["service"] != "s3" or not case["name"].startswith("no path")


def _inputs() -> dict[str, list[Case]]:
    """Return the cases for each file, keyed by the file's name."""
    other, s3 = _BASE["url"].rstrip("/"), _S3["url"].rstrip("/")
    return {
        "paths": [c for n, p in _PATHS.items() for c in _at(other + p, s3 + p, n)],
        "queries": [
            c for n, q in _QUERIES.items() for c in _at(f"{other}/a?{q}", f"{s3}/a?{q}", n)
        ],
        "headers": [c for n, h in _HEADERS.items() for c in _with_rules(n, {"headers": h})],
        "hosts": [c for n, url in _HOSTS.items() for c in _at(url, url, n) if _on_the_wire(c)],
        "payloads": [
            c for n, p in _PAYLOADS.items() for c in _with_rules(n, {"method": "PUT", **p})
        ],
        "sagemaker": [
            {"name": n, **_BASE, "method": "POST", "url": _ENDPOINT.format("my-endpoint"), **c}
            for n, c in _SAGEMAKER.items()
        ],
    }


def _expected(case: Case) -> Case:
    """Return *case* with botocore's canonical request, string to sign and signature."""
    signed = botocore_signs(_request(case))
    return {
        **case,
        "s3": case["service"] == "s3",
        "canonical_request": signed.canonical_request,
        "string_to_sign": signed.string_to_sign,
        "signed_headers": signed.signed_headers,
        "signature": signed.signature,
    }


def _odd_query(name: str, spelled: str, canonical: str) -> Case:
    """Return a case for *spelled* with botocore's results for *canonical*.

    awscrt must compute the same signature for *spelled*.
    """
    url = _BASE["url"]
    case = {"name": name, **_BASE, "url": f"{url}?{spelled}"}
    expected = _expected({**case, "url": f"{url}?{canonical}"})
    confirmed = awscrt_signs(_request(case))
    if confirmed != (expected["signed_headers"], expected["signature"]):
        raise ValueError(
            f"awscrt's signature of {spelled!r} is not botocore's signature of {canonical!r}"
        )
    return {**expected, "url": case["url"]}


def _presigned(case: Case, expires: int) -> Case:
    """Return *case* with the results of botocore's presigning."""
    expected = botocore_presigns(_request(case), expires)
    return {
        **case,
        "s3": case["service"] == "s3",
        "expires": expires,
        "canonical_request": expected.canonical_request,
        "string_to_sign": expected.string_to_sign,
        "signed_headers": expected.signed_headers,
        "signature": expected.signature,
        "presigned_url": expected.url,
    }


# The names of cases that are left out because botocore presigns them differently from this package.
# For example, botocore keeps only one value of a repeated parameter, and decodes queries as UTF-8.
_NOT_PRESIGNED = {
    "order of repeated",
    "same twice",
    "no value beside an empty one",
    "not UTF-8",
    "every byte",
    "stale signature",
}


def _presigned_cases(inputs: dict[str, list[Case]]) -> Iterator[Case]:
    """Yield presigned cases with various queries, headers, hosts, payloads and expiry times.

    Paths are left out, because presigning encodes them in the same way as signing in headers does.
    """
    for kind in ("queries", "headers", "hosts", "payloads"):
        for case in inputs[kind]:
            left_out = case["name"].removesuffix(" (S3)") in _NOT_PRESIGNED
            if not left_out and not case["unsigned_payload"]:
                yield _presigned({**case, "name": f"{kind}: {case['name']}"}, 3600)
    for expires in (1, 604_800):
        for case in _with_rules(f"for {expires} s", _WITH_TOKEN):
            yield _presigned(case, expires)


def main() -> None:
    """Write all files with test vectors that this script generates."""
    inputs = _inputs()
    files = {name: [_expected(case) for case in cases] for name, cases in inputs.items()}
    files["odd-queries"] = [_odd_query(name, *pair) for name, pair in _ODD_QUERIES.items()]
    files["presigned"] = list(_presigned_cases(inputs))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, cases in files.items():
        text = json.dumps(cases, indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
