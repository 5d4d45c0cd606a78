"""A smoke test for an installed wheel, in an environment with only its run-time dependencies.

wheel_smoke.sh runs this script as ``python -I wheel_smoke.py WHEEL_SIZE`` in an empty folder.
"""

import importlib.metadata
import sys
import sysconfig
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import sagemaker_runtime_client
import sigv4

for module in ("httpx", "cryptography", "asyncio", "anyio"):
    assert module not in sys.modules, f"importing the packages imports {module}"
site = Path(sysconfig.get_path("purelib")).resolve()
for package in (sigv4, sagemaker_runtime_client):
    folder = Path(package.__file__).resolve().parent
    assert folder.parent == site, f"{package.__name__} is imported from {folder}"
    assert (folder / "py.typed").exists(), f"{package.__name__} has no py.typed"
version = importlib.metadata.version("sagemaker-runtime-client")
assert version == sagemaker_runtime_client.__version__, version
# The emulator, which Lambda layers leave out, is the largest part of the wheel.
assert int(sys.argv[1]) < 720_000, "the wheel is larger than 720 KB"

CREDENTIALS = sigv4.Credentials("AKIDEXAMPLE", "secret")


class Service(BaseHTTPRequestHandler):
    """A service that verifies the signature of each request and responds that the job was accepted."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        url = f"http://{self.headers['host']}{self.path}"
        request = sigv4.SignableRequest("POST", url, self.headers.items(), sigv4.Payload.of(body))
        known = {CREDENTIALS.access_key_id: CREDENTIALS}
        sigv4.verify(request, known, at=datetime.now(UTC), service="sagemaker", region="eu-west-1")
        answer = b'{"InferenceId": "smoke"}'
        self.send_response(202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Suppress the access log."""


async def awaited(**settings: Any) -> sagemaker_runtime_client.Invocation:
    """Make a call with the async client."""
    async with sagemaker_runtime_client.AsyncSageMakerRuntimeClient(**settings) as client:
        return await client.invoke_endpoint_async("endpoint", body=b"1,2,3")


def blocking(**settings: Any) -> sagemaker_runtime_client.Invocation:
    """Make a call with the blocking client."""
    with sagemaker_runtime_client.SageMakerRuntimeClient(**settings) as client:
        return client.invoke_endpoint_async("endpoint", body=b"1,2,3")


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
SETTINGS = {
    "region": "eu-west-1",
    "credentials": CREDENTIALS,
    "endpoint_url": f"http://127.0.0.1:{server.server_port}",
}
assert blocking(**SETTINGS).inference_id == "smoke"
assert "asyncio" not in sys.modules, "a blocking call imports asyncio"
assert import_module("asyncio").run(awaited(**SETTINGS)).inference_id == "smoke"
assert "cryptography" not in sys.modules, "a call imports cryptography"
server.shutdown()
versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("httpx", "attrs"))
print(f"wheel: {int(sys.argv[1]):,} bytes, imported from {site}, with {versions}: calls succeeded")
