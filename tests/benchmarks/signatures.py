"""Check that each client signs its requests, because its figures would otherwise be meaningless."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from contenders import ASYNC, BLOCKING, CLIENTS, environ
from loopback import Server

from sigv4 import Credentials, verify
from sigv4._cli.raw_request import parse_request


def check(server: Server) -> None:
    """Make one call with each client, and verify the signature that arrives at the server."""
    for client in (BLOCKING | ASYNC).values():
        first_call(client.python, client.module, server, environ(server.ca_bundle))


def first_call(python: Path, module: str, server: Server, variables: dict[str, str]) -> str:
    """Make a first call in a new process, verify its signature, and return the process's output."""
    done = subprocess.run(
        [python, CLIENTS / "first_call.py", module, server.https],
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    verify_last(server, variables)
    return done.stdout


def verify_last(server: Server, variables: dict[str, str]) -> None:
    """Verify the signature of the last request that arrived at the server."""
    credentials = Credentials(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables["AWS_SESSION_TOKEN"],
    )
    verify(
        parse_request(server.last_request()),
        {credentials.access_key_id: credentials},
        at=datetime.now(UTC),
        service="sagemaker",
        region=variables["AWS_REGION"],
    )
