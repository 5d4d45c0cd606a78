"""Test the signed chunks and trailers in the examples of the S3 documentation."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sigv4 import (
    AwsChunked,
    ChunkDecoder,
    Credentials,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    sign_all_headers,
    verify,
)
from tests.sigv4.stream_oracles import AwscrtHasher

SUITE = json.loads((Path(os.environ["SUITES"]) / "s3-doc-vectors.json").read_text("utf-8"))
CASES = [pytest.param(case, id=case["name"]) for case in SUITE["chunked"]]
KEY = Credentials(**SUITE["credentials"])
AT = datetime.strptime(SUITE["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
SIGNER = Signer(SigV4(SUITE["service"], SUITE["region"]), signed_headers=sign_all_headers)
BODY = b"a" * 66_560


def crc32c():
    """Return a hasher for CRC32C, which the standard library lacks."""
    return AwscrtHasher("CRC32C")


def upload(case):
    """Return the `AwsChunked`, the request, the signature and the encoded body of an upload."""
    form = AwsChunked(
        SIGNER.algorithm,
        len(BODY),
        chunk_size=case["chunk_size"],
        checksum="CRC32C" if case["trailer"] else None,
        hasher=crc32c if case["trailer"] else None,
    )
    headers = [tuple(pair) for pair in case["headers"]]
    request = SignableRequest(
        case["method"], f"https://s3.amazonaws.com{case['path']}", headers, form.payload
    )
    signature = SIGNER.sign(request, KEY, at=AT)
    return form, request, signature, b"".join(form.encode(BODY, SIGNER.seed(signature, KEY)))


@pytest.mark.parametrize("case", CASES)
def test_signatures(case):
    """The canonical request and the signatures of request, chunks and trailer are as documented."""
    _, _, signature, sent = upload(case)
    found = re.findall(rb"signature[=:]([0-9a-f]{64})\r\n", sent)
    assert signature.canonical_request == case["canonical_request"]
    assert [signature.signature, *(text.decode() for text in found)] == case["signatures"]


@pytest.mark.parametrize("case", CASES)
def test_headers(case):
    """The headers, the encoded length and the trailer of an `AwsChunked` are correct.

    No header differs from the documented value, `encoded_length` is the length of the encoded body,
    and the body contains the documented trailer.
    """
    form, request, _, sent = upload(case)
    stated = dict(request.headers)
    assert {name: stated.get(name, text) for name, text in form.headers.items()} == form.headers
    assert len(sent) == form.encoded_length
    assert case["trailer"] is None or f"\r\n{case['trailer']}\r\n".encode() in sent


@pytest.mark.parametrize("case", CASES)
def test_verified(case):
    """`verify` accepts the documented upload, and `ChunkDecoder` decodes its body."""
    _, request, signature, sent = upload(case)
    headers = dict(request.headers) | signature.headers
    arrived = SignableRequest(request.method, request.url, headers, Payload.of(sent))
    place = {"service": SUITE["service"], "region": SUITE["region"]}
    verified = verify(arrived, {KEY.access_key_id: KEY}, at=AT, **place)
    decoder = ChunkDecoder.of(arrived, verified, hashers={"CRC32C": crc32c})
    assert b"".join(decoder.decode(sent)) == BODY
