"""Test how much memory an upload of 256 MiB uses."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("memory.py")
CREATED = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COMPLETED = b'<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'


class Sink(BaseHTTPRequestHandler):
    """A store that accepts parts and discards their data."""

    protocol_version = "HTTP/1.1"

    def _answer(self, body=b"", **headers):
        left = int(self.headers.get("content-length", 0))
        while left:
            left -= len(self.rfile.read(min(left, 1 << 18)))
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self._answer(etag='"p"')

    def do_POST(self):
        if self.path.endswith("?uploads"):
            self._answer(CREATED, x_amz_checksum_type="FULL_OBJECT")
        else:
            self._answer(COMPLETED)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def sink(certificate):
    """The URL of a store that runs in a thread."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        server.daemon_threads, server.block_on_close = True, False
        server.socket = certificate[1].wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss differs")
@pytest.mark.parametrize(
    ("client", "kind", "most"),
    [
        ("blocking", "path", 16),
        ("asyncio", "path", 24),
        ("trio", "path", 24),
        ("blocking", "stream", 80),
        ("asyncio", "stream", 80),
    ],
)
def test_memory(sink, certificate, client, kind, most):
    """Parts of files are not held in memory; parts of streams are held only while they are sent."""
    done = subprocess.run(
        [sys.executable, PROGRAM, client, kind, sink, certificate[0]],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime_client'}"},
    )
    assert float(done.stdout) <= most
