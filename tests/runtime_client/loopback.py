"""Servers and proxies on 127.0.0.1 that send and receive raw bytes, and a certificate for them."""

import fcntl
import socket
import ssl
import sys
import termios
from _thread import start_new_thread
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from time import sleep
from typing import NamedTuple

from sigv4 import Payload, SignableRequest, verify

PATIENCE = 60.0  # in seconds; a test that hangs fails after this time


class RawRequest(NamedTuple):
    """A request as the server received it, and the number of its connection, counted from 0."""

    connection: int
    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def method(self):
        return self.line.split(" ")[0]

    @property
    def target(self):
        return self.line.split(" ")[1]

    def header(self, name):
        """Return the value of a header that occurs at most once, or None.

        *name* must be in lower case.
        """
        values = [value for known, value in self.headers if known.lower() == name]
        assert len(values) <= 1
        return values[0] if values else None

    def verify(self, credentials, service, region, scheme="http", *, at=None):
        """Verify the signature of the request, and raise an error if it is invalid."""
        url = f"{scheme}://{self.header('host')}{self.target}"
        signable = SignableRequest(self.method, url, self.headers, Payload.of(self.body))
        known = {credentials.access_key_id: credentials}
        at = at or datetime.now(UTC)
        return verify(signable, known, at=at, service=service, region=region)


class Loopback:
    """A server on 127.0.0.1 that runs while its context is open.

    Args:
        answer: A function that receives each request and its connection, and returns the bytes of
            the response.  If it returns no bytes, the connection is closed.
        tls: The TLS context, or None for plain HTTP.
        buffered: Whether the server may read beyond the head of a request.  If not, *answer* can
            read more from the connection itself.
    """

    def __init__(self, answer, tls=None, *, buffered=True):
        self.requests = kept = []
        self.connections = 0
        self._counting = Lock()
        server = self

        class Handler(StreamRequestHandler):
            rbufsize = -1 if buffered else 0

            def setup(self):
                self.number = server._counted()
                if tls is not None:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self):
                while (request := _read(self.rfile, self.wfile, self.number)) is not None:
                    kept.append(request)
                    data = answer(request, self.connection)
                    if not data:
                        return
                    self.wfile.write(data)

            def finish(self):
                super().finish()
                self.connection.close()  # the server class does not close the TLS socket

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{'http' if tls is None else 'https'}://{self.address}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def _counted(self):
        """Count a new connection, and return its number."""
        with self._counting:
            self.connections += 1
            return self.connections - 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def process_request(self, request, client_address):
        """Serve a request in a thread that coverage does not trace.

        If two threads start at the same time, CPython may fail to start tracing in one of them, and
        that thread then does not run.
        """
        start_new_thread(self.process_request_thread, (request, client_address))

    def handle_error(self, request, client_address):
        """Ignore an OSError, because some tests close connections on purpose."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def refusing():
    """Yield a port on 127.0.0.1 that refuses connections, because it is bound but not listening."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


@contextmanager
def raw_server(serve):
    """Run a server that calls *serve* with the socket of each connection; yield its address."""

    class Handler(BaseRequestHandler):
        def handle(self):
            serve(self.request)

    server = _Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def man_in_the_middle(address, forged):
    """Return a server function that first sends forged bytes to the client, and then relays all
    bytes between the client and the server at *address*.
    """

    def serve(connection):
        connection.sendall(forged)
        with socket.create_connection(_address(address), PATIENCE) as upstream:
            back = Thread(target=_pump, args=(upstream, connection))
            back.start()
            _pump(connection, upstream)
            back.join()

    return serve


def shake_hands(connection, tls):
    """Perform the server's part of a TLS handshake over memory buffers.

    Return the TLS object and the buffer of outgoing data.  The buffer still contains the server's
    last handshake messages, so that they can be sent together with the next data.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = tls.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536)) or incoming.write_eof()
        else:
            return secured, outgoing


def deliver(connection):
    """Wait until the other end of the connection has received all sent data, whether or not it has
    read them.
    """
    while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))):
        sleep(0)


def response(body=b"", status=200, headers=()):
    """Return the bytes of an HTTP response with a Content-Length."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(body=b"", status=200, headers=()):
    """Return a server function that sends the same response to every request."""
    return lambda _request, _connection: response(body, status, headers)


def forward(request, _connection):
    """Act as a forward proxy: send the request to the host in its target, which is an absolute URL."""
    host, _, path = request.target.removeprefix("http://").partition("/")
    with socket.create_connection(_address(host), PATIENCE) as upstream:
        lines = [f"{request.method} /{path} HTTP/1.1", "Connection: close", "Via: 1.1 loopback"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        upstream.sendall("\r\n".join([*lines, "", ""]).encode() + request.body)
        return b"".join(iter(lambda: upstream.recv(65536), b""))


def in_front_of(url):
    """Return a server function that acts as a gateway: it forwards each request to the server at
    *url*.
    """

    def answer(request, connection):
        line = f"{request.method} {url}{request.target} HTTP/1.1"
        return forward(request._replace(line=line), connection)

    return answer


def tunnel(request, connection):
    """Act as a CONNECT proxy: forward bytes in both directions."""
    assert request.method == "CONNECT"
    with socket.create_connection(_address(request.target), PATIENCE) as upstream:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = Thread(target=_pump, args=(upstream, connection))
        back.start()
        _pump(connection, upstream)
        back.join()
    return b""


def certify(folder, name="loopback", hours=1):
    """Create a self-signed certificate for 127.0.0.1; return its path and the server's TLS context."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=9))
        .not_valid_after(now + timedelta(hours=hours))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    bundle, secret = folder / "ca.pem", folder / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bundle, secret)
    return str(bundle), tls


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def _pump(source, target):
    """Forward bytes from *source* to *target* until *source* ends, then shut down *target* for
    writing.
    """
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _read(stream, back, connection):
    """Return the next request on a connection, or None if the client has closed the connection."""
    line = stream.readline().decode("ascii").rstrip("\r\n")
    if not line:
        return None
    headers = []
    while line_ := stream.readline().decode().rstrip("\r\n"):
        name, _, value = line_.partition(":")
        headers.append((name, value.strip(" \t")))
    request = RawRequest(connection, line, headers, b"")
    if request.header("expect"):
        back.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return request._replace(body=stream.read(int(request.header("content-length") or 0)))
