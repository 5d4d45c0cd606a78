"""ministack: an independent server that emulates many AWS services and verifies signatures.

ministack does not verify the signatures of its root user, so the tests sign with another user's
key.  The Makefile installs ministack in a separate environment.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import httpx
from attrs import frozen

from sigv4 import Credentials, Signer, SigV4
from sigv4.httpx_auth import SigV4Auth

PROGRAM = Path(sys.prefix) / "servers" / "bin" / "ministack"
REGION = "us-east-1"
PATIENCE = 60.0
ATTEMPTS = 3
SETTINGS = {"AUTH": "true", "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
ROOT = Credentials("test", "test")

_EVERYTHING = """
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""
_ANYBODY = """
{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}
"""


@frozen
class Ministack:
    """A running ministack server.

    Attributes:
        url: The endpoint of all its services, such as ``http://127.0.0.1:49152``.
        user: The access key of an IAM user with all permissions.
        role: The ARN of an IAM role with all permissions, which any principal may assume.
    """

    url: str
    user: Credentials
    role: str


def element_text(answer: str, name: str) -> str:
    """Return the text of the first XML element in *answer* that is called *name*."""
    found = re.search(f"<{name}>(.*?)</{name}>", answer)
    assert found, f"no {name} in {answer}"
    return found[1]


@contextmanager
def running() -> Iterator[Ministack]:
    """Run ministack in a new process, on a free port of 127.0.0.1, until the context ends."""
    with tempfile.TemporaryFile() as log, ExitStack() as stack:
        try:
            port = _started(stack, log)
            yield _populated(f"http://127.0.0.1:{port}")
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise


def _started(stack: ExitStack, log: IO[bytes]) -> int:
    """Start ministack and return its port; if another process takes the port, try another port."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    for _ in range(ATTEMPTS):
        port = _free_port()
        process = subprocess.Popen(
            [PROGRAM],
            env=environ | SETTINGS | {"GATEWAY_PORT": str(port)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.terminate)
        if _listens(process, port):
            return port
    raise RuntimeError(f"ministack ended with status {process.returncode}")


def _free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until *port* accepts connections.

    Return True if the port accepts a connection, or False if the server process ends first.  If
    neither happens within `PATIENCE` seconds, raise TimeoutError.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                return False
        else:
            return True
    raise TimeoutError(f"ministack does not listen after {PATIENCE:g} s")


def _populated(url: str) -> Ministack:
    """Create a user with an access key, and a role, in the server at *url*; return the `Ministack`."""
    auth = SigV4Auth(Signer(SigV4("iam", REGION)), ROOT)
    with httpx.Client(auth=auth, trust_env=False, timeout=PATIENCE) as client:

        def iam(action: str, **arguments: str) -> str:
            form = {"Action": action, "Version": "2010-05-08", **arguments}
            headers = {"content-type": "application/x-www-form-urlencoded"}
            answer = client.post(url, content=urlencode(form), headers=headers)
            return answer.raise_for_status().text

        iam("CreateUser", UserName="user")
        key = iam("CreateAccessKey", UserName="user")
        allowed = {"PolicyName": "everything", "PolicyDocument": _EVERYTHING}
        iam("PutUserPolicy", UserName="user", **allowed)
        role = iam("CreateRole", RoleName="role", AssumeRolePolicyDocument=_ANYBODY)
        iam("PutRolePolicy", RoleName="role", **allowed)
    user = Credentials(element_text(key, "AccessKeyId"), element_text(key, "SecretAccessKey"))
    return Ministack(url, user, element_text(role, "Arn"))
