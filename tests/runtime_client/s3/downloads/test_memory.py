"""Test how much memory a download of 256 MiB uses, in a new process."""

import subprocess
import sys

import pytest

from tests.runtime_client.s3.downloads.object_server import ObjectServer

MEBIBYTE = 1 << 20
PROGRAM = """
import asyncio, hashlib, httpx, json, h11, ssl, sys, trio
from pathlib import Path
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from tests.runtime_client.clients import pointed_at

def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])

class Server: url = sys.argv[1]
kind, target = sys.argv[2:]

class Pipe:
    closed = False
    def writable(self): return True
    def seekable(self): return False
    def write(self, data): return len(data)
    def flush(self): pass

target = Pipe() if target == "pipe" else target

def block():
    with SageMakerRuntimeClient(**pointed_at(Server)) as client:
        client.get_object("s3://bucket/small")
        before = memory("VmRSS")
        assert client.download("s3://bucket/key", target).verified == "CRC32"
        return before

async def run():
    async with AsyncSageMakerRuntimeClient(**pointed_at(Server)) as client:
        await client.get_object("s3://bucket/small")
        before = memory("VmRSS")
        assert (await client.download("s3://bucket/key", target)).verified == "CRC32"
        return before

before = {"threads": block, "asyncio": lambda: asyncio.run(run()), "trio": lambda: trio.run(run)}[kind]()
print((memory("VmHWM") - before) * 1024)
"""


class LargeServer(ObjectServer):
    """A server with a small object and an object of 256 MiB."""

    def respond(self, request):
        """Return the response for the object that is requested."""
        if request.target.endswith("small"):
            return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        return super().respond(request)


@pytest.fixture(scope="module")
def server():
    """The server."""
    with LargeServer(bytes(256 * MEBIBYTE)) as server:
        # The checksum is computed only once, because this takes long.
        headers = server.checksum(server.body)
        server.checksum = lambda _: headers
        type(server).etag = '"tag"'
        yield server


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("kind", "target", "most"),
    [
        ("threads", "path", 16),
        ("asyncio", "path", 24),
        ("trio", "path", 24),
        ("threads", "pipe", 80),
        ("asyncio", "pipe", 80),
    ],
)
def test_memory(server, kind, target, most, tmp_path):
    """The memory that a download uses does not grow with the size of the object."""
    output = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            server.url,
            kind,
            "pipe" if target == "pipe" else str(tmp_path / "out"),
        ],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    assert int(output) / MEBIBYTE <= most
