"""Helpers that send raw requests, signed by `sigv4`, to an emulator over a socket."""

import socket
from datetime import UTC, datetime
from http.client import HTTPResponse
from typing import NamedTuple

from sigv4 import Payload, SignableRequest, Signer, SigV4, sign_all_headers

INVOCATION = "/endpoints/my-endpoint/async-invocations"
INPUT = {"x-amzn-sagemaker-inputlocation": "s3://bucket/in"}
TIMEOUT = 10.0


class Response(NamedTuple):
    """A response from the emulator."""

    status: int
    headers: dict[str, str]
    body: bytes


def address(emulator):
    """Return the host and the port of an emulator."""
    host, _, port = emulator.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def sign_request(emulator, method, target, headers=(), body=b"", **options):
    """Return the bytes of a signed request; *options* override the host, the time and other parts."""
    service = "sagemaker" if method == "POST" else "s3"
    signer = Signer(
        SigV4(options.get("service", service), options.get("region", emulator.region)),
        s3=options.get("service", service) == "s3",
        signed_headers=sign_all_headers,
    )
    host = options.get("host", emulator.url.removeprefix("http://"))
    pairs = {"host": host, **dict(headers)}
    payload = options.get("payload", Payload.of(body))
    request = SignableRequest(method, f"http://{host}{target}", pairs, payload)
    at = options.get("at", datetime.now(UTC))
    credentials = options.get("credentials", emulator.credentials)
    signature = signer.sign(request, credentials, at=at)
    if "encode" in options:
        body = options["encode"](signer.seed(signature, credentials))
    return build_request(method, target, {**pairs, **signature.headers}, body)


def build_request(method, target, headers, body=b""):
    """Return the bytes of a request with the given headers, without signing it."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if "content-length" not in headers:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(emulator, request):
    """Send the bytes of a request, and return the response."""
    method = request.partition(b" ")[0].decode()
    with socket.create_connection(address(emulator), TIMEOUT) as connection:
        connection.sendall(request)
        with HTTPResponse(connection, method=method) as parser:
            parser.begin()
            headers = {name.lower(): value for name, value in parser.getheaders()}
            return Response(parser.status, headers, parser.read())


def call(emulator, method, target, headers=(), body=b"", **options):
    """Sign and send a request, and return the response."""
    return send(emulator, sign_request(emulator, method, target, headers, body, **options))


def receive_until_reset(emulator, request):
    """Send the bytes of a request, and return the bytes that arrive before the connection is reset."""
    received = b""
    with socket.create_connection(address(emulator), TIMEOUT) as connection:
        connection.sendall(request)
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                return received
            assert data, f"the connection was closed in order after {received!r}"
            received += data
