"""Whether every contender signs what it sends: no figure of one that does not is worth anything."""

import subprocess
from datetime import UTC, datetime

from contenders import ASYNC, BLOCKING, CLIENTS, environ
from loopback import Server

from sigv4 import Credentials, verify
from sigv4._raw_request import parse_request


def check(server: Server) -> None:
    """Let each make one call, and verify the signature that arrived."""
    variables = environ(server.ca_bundle)
    credentials = Credentials(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables["AWS_SESSION_TOKEN"],
    )
    for client in (BLOCKING | ASYNC).values():
        command = [client.python, CLIENTS / "first_call.py", client.module, server.https]
        subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=True)
        arrived = parse_request(server.last_request() + b"\r\n\r\n")
        verify(
            arrived,
            {credentials.access_key_id: credentials},
            at=datetime.now(UTC),
            service="sagemaker",
            region=variables["AWS_REGION"],
        )
