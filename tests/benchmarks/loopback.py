"""The server that all clients call, in a separate process, and the CA bundle that they trust."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
import trustme

SERVER = Path(__file__).parent / "server.py"


class Server:
    """A running server; `http` and `https` are its URLs."""

    def __init__(self, process: subprocess.Popen[str], ca_bundle: Path) -> None:
        self._process = process
        self.ca_bundle = ca_bundle
        self.http, self.https = (f"{scheme}://127.0.0.1:{self._line()}" for scheme in SCHEMES)

    def last_request(self) -> bytes:
        """Return the last request that arrived."""
        return bytes.fromhex(self._ask()[0])

    def connections(self) -> int:
        """Return how many connections the server has accepted so far."""
        return int(self._ask()[1])

    def _ask(self) -> list[str]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line().split(" ")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


SCHEMES = ("http", "https")


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server until the context ends; its CA bundle makes clients trust its certificate.

    As in production, the bundle contains many authorities; the server's authority is appended to
    them.  The authority is called Amazon, like AWS's authorities, because this package loads
    Amazon's authorities first.
    """
    with TemporaryDirectory() as folder:
        authority = trustme.CA(organization_name="Amazon")
        certificate, bundle = Path(folder) / "server.pem", Path(folder) / "bundle.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        trusted = Path(certifi.where()).read_bytes() + authority.cert_pem.bytes()
        bundle.write_bytes(trusted)
        with subprocess.Popen(
            [sys.executable, SERVER, certificate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Server(process, bundle)
            process.communicate()
