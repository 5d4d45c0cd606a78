"""Requests to an emulator, signed by `sigv4` and sent over a plain socket, byte for byte."""

import socket
from datetime import UTC, datetime
from http.client import HTTPResponse
from typing import NamedTuple

from sigv4 import Payload, SignableRequest, Signer, SigV4, sign_all_headers

INVOCATION = "/endpoints/my-endpoint/async-invocations"
INPUT = {"x-amzn-sagemaker-inputlocation": "s3://bucket/in"}
PATIENCE = 10.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def address(emulator):
    """Return host and port of an emulator."""
    host, _, port = emulator.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def signed(emulator, method, target, headers=(), body=b"", **how):
    """Return the bytes of a signed request; *how* replaces what the signature is made with."""
    service = "sagemaker" if method == "POST" else "s3"
    signer = Signer(
        SigV4(how.get("service", service), how.get("region", emulator.region)),
        s3=how.get("service", service) == "s3",
        signed_headers=sign_all_headers,
    )
    host = how.get("host", emulator.url.removeprefix("http://"))
    pairs = {"host": host, **dict(headers)}
    payload = how.get("payload", Payload.of(body))
    request = SignableRequest(method, f"http://{host}{target}", pairs, payload)
    at = how.get("at", datetime.now(UTC))
    credentials = how.get("credentials", emulator.credentials)
    signature = signer.sign(request, credentials, at=at)
    if "encode" in how:
        body = how["encode"](signer.seed(signature, credentials))
    return plain(method, target, {**pairs, **signature.headers}, body)


def plain(method, target, headers, body=b""):
    """Return the bytes of a request as it stands."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if "content-length" not in headers:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(emulator, request):
    """Send the bytes of a request, and return the answer to it."""
    method = request.partition(b" ")[0].decode()
    with socket.create_connection(address(emulator), PATIENCE) as connection:
        connection.sendall(request)
        with HTTPResponse(connection, method=method) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())


def call(emulator, method, target, headers=(), body=b"", **how):
    """Sign a request, send it, and return the answer to it."""
    return send(emulator, signed(emulator, method, target, headers, body, **how))


def until_reset(emulator, request):
    """Send the bytes of a request, and return what came before the connection was reset."""
    received = b""
    with socket.create_connection(address(emulator), PATIENCE) as connection:
        connection.sendall(request)
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                return received
            assert data, f"the connection was closed in order after {received!r}"
            received += data
