"""Write test vectors for SigV4A, chunked bodies and events to ``fixtures/sigv4``.

    python -m tests.regenerate_streams

SigV4A signatures depend on random numbers, so existing signatures of unchanged requests are kept.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any

from tests.sigv4.stream_oracles import (
    awscrt_signs_with_v4a,
    botocore_checksum,
    botocore_decodes,
    botocore_encodes,
    botocore_signs_chunks,
    botocore_signs_text,
    event,
)

FOLDER = Path(__file__).parent.parent / "fixtures" / "sigv4"

Case = dict[str, Any]

_KEY = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"}
_INSTANT = "20261122T120000Z"
_V4A: Case = {
    "service": "sagemaker",
    "region_set": "us-east-1",
    "credentials": _KEY,
    "instant": _INSTANT,
    "method": "GET",
    "url": "https://runtime.sagemaker.us-east-1.amazonaws.com/",
    "headers": [],
    "body": "",
}
_V4A_CASES: dict[str, Case] = {
    "one region": {},
    "everywhere": {"region_set": "*"},
    "wildcard and region": {"region_set": "us-*,eu-west-1"},
    "session token": {"credentials": {**_KEY, "session_token": "TO/KEN+=="}},
    "another key": {"credentials": {**_KEY, "access_key_id": "AKIDOTHER"}},
    "a long secret": {"credentials": {**_KEY, "secret_access_key": "s" * 120}},
    "body and headers": {
        "method": "POST",
        "url": "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/a/async-invocations",
        "headers": [["Content-Type", "application/json"], ["X-Amzn-SageMaker-Accept", "a  b"]],
        "body": "{}",
    },
    "path and query": {"url": "https://example.amazonaws.com/a//b/./c%20d?b=2&a=1&a=%2F"},
    "S3": {
        "service": "s3",
        "region_set": "*",
        "method": "PUT",
        "url": "https://alias.mrap.accesspoint.s3-global.amazonaws.com/a//b/./c%20d",
        "body": "body",
    },
}


def _v4a(kept: dict[str, Case]) -> Iterator[Case]:
    """Yield requests signed with SigV4A by awscrt, in headers and presigned; reuse those in *kept*."""
    for name, given in _V4A_CASES.items():
        for expires in (None, 3600):
            case = {"name": name if expires is None else f"{name}, presigned", **_V4A, **given}
            if expires:
                case["expires"] = expires
            old = kept.get(case["name"], {})
            if {key: old.get(key) for key in case} == case:
                yield old
                continue
            at = datetime.strptime(case["instant"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            signed = awscrt_signs_with_v4a({**case, "at": at}, expires)
            yield {
                **case,
                "signed_headers": [list(pair) for pair in signed.headers],
                "signed_target": signed.path,
            }


def make_body(length: int) -> bytes:
    """Return a body of *length* bytes whose chunks all differ."""
    return bytes(at * 31 % 251 for at in range(length))


def _chunked() -> Iterator[Case]:
    """For bodies with and without checksums, yield botocore's signatures of the chunks.

    A case with a checksum also contains the length and hash of botocore's unsigned encoding.
    """
    for length in (0, 1, 8191, 8192, 8193, 20_000, 66_560):
        for checksum in (None, "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            case: Case = {
                "name": f"{length} bytes, {checksum or 'no checksum'}",
                "service": "s3",
                "region": "us-east-1",
                "credentials": _KEY,
                "instant": _INSTANT,
                "seed": sha256(str(length).encode()).hexdigest(),
                "length": length,
                "size": 65_536 if length > 60_000 else 8192,
                "checksum": checksum,
                "trailer": None,
            }
            body = make_body(length)
            if checksum:
                value = botocore_checksum(checksum, body)
                case["trailer"] = [f"x-amz-checksum-{checksum.lower()}", value]
                unsigned = botocore_encodes(body, checksum, case["size"])
                case["unsigned_length"] = len(unsigned)
                case["unsigned_sha256"] = sha256(unsigned).hexdigest()
            yield {**case, "signatures": botocore_signs_chunks(case, body)}


# Maps the name of a case to a header value as it is sent, and as botocore decodes it.
_HEADERS: dict[str, tuple[bytes, Any]] = {
    "true": (b"\0", True),
    "false": (b"\1", False),
    "int8": (b"\2" + pack(">b", -128), -128),
    "int16": (b"\3" + pack(">h", 32_767), 32_767),
    "int32": (b"\4" + pack(">i", -(2**31)), -(2**31)),
    "int64": (b"\5" + pack(">q", 2**63 - 1), 2**63 - 1),
    "bytes": (b"\6" + pack(">H", 3) + b"\0\xff\n", "AP8K"),
    "no bytes": (b"\6\0\0", ""),
    "string": (b"\7" + pack(">H", 3) + "é!".encode(), "é!"),
    "no string": (b"\7\0\0", ""),
    "instant": (b"\x08" + pack(">q", 1_795_348_800_123), 1_795_348_800_123),
    "instant before 1970": (b"\x08" + pack(">q", -1), -1),
    "uuid": (b"\x09" + bytes(range(16)), "AAECAwQFBgcICQoLDA0ODw=="),
}


def _events() -> Iterator[Case]:
    """Yield event-stream messages, each with the headers that botocore decodes."""
    given = {name: {name: value} for name, value in _HEADERS.items()}
    given["every type"] = dict(_HEADERS)
    given["no headers"] = {}
    for name, headers in given.items():
        encoded = [bytes([len(n)]) + n.encode() + sent for n, (sent, _) in headers.items()]
        message = event(b"".join(encoded), name.encode())
        decoded, payload = botocore_decodes(message)
        expected = {n: value for n, (_, value) in headers.items()}
        if _as_json(decoded) != expected or payload != name.encode():
            raise ValueError(f"botocore decodes {name!r} to other headers or another payload")
        yield {
            "name": name,
            "encoded": b64encode(message).decode(),
            "headers": expected,
            "payload": name,
        }


def _as_json(headers: dict[str, Any]) -> dict[str, Any]:
    """Return *headers* with binary values encoded in base64."""
    return {
        name: b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


def _signed_events() -> Iterator[Case]:
    """Yield a chain of signed events that crosses midnight, signed with botocore's key and HMAC."""
    previous = sha256(b"events").hexdigest()
    for number, payload in enumerate([b"one", b"\0\xff", b"three", b""]):
        moment = datetime(2026, 11, 22, 23, 59, 58 + number % 2, 250_000 * number, tzinfo=UTC)
        moment = moment.replace(day=23, hour=0, minute=0) if number > 1 else moment
        instant = f"{moment:%Y%m%dT%H%M%SZ}"
        milliseconds = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
        dated = b"\x05:date\x08" + pack(">q", milliseconds)
        hashes = [sha256(part).hexdigest() for part in (dated, payload)]
        scope = f"{instant[:8]}/us-east-1/transcribe/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", instant, scope, previous, *hashes])
        signature = botocore_signs_text(text, _KEY, "transcribe", "us-east-1")
        carried = b"\x10:chunk-signature\x06" + pack(">H", 32) + bytes.fromhex(signature)
        yield {
            "name": f"event {number}",
            "previous": previous,
            "milliseconds": milliseconds,
            "payload": b64encode(payload).decode(),
            "signature": signature,
            "encoded": b64encode(event(dated + carried, payload)).decode(),
        }
        previous = signature


def main() -> None:
    """Write all files with test vectors that this script generates."""
    path = FOLDER / "v4a.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else []
    files = {
        "v4a": list(_v4a({case["name"]: case for case in kept})),
        "chunked": list(_chunked()),
        "event_stream": list(_events()),
        "event_stream_signed": list(_signed_events()),
    }
    for name, cases in files.items():
        text = json.dumps(cases, indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
