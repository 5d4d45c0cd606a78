"""Measure cold starts: imports, and complete processes from `exec` to the first response."""

import subprocess
import time
from collections.abc import Iterator

from contenders import ASYNC, BASELINE, BLOCKING, CLIENTS, Client, environ, interpreter
from loopback import Server
from rounds import Figures, Measure, Table, side_by_side

IMPORTS = {
    "ours": ("ours", "sagemaker_runtime_client"),
    "boto3": ("boto3", "boto3"),
    "aiobotocore": ("aiobotocore", "aiobotocore.session"),
    "capo": ("capo", "capo_sagemaker_runtime"),
    "httpx": ("httpx", "httpx"),
    "floor": ("floor", "http.client, hmac, json"),
    "python alone": ("floor", "sys"),
}


def imports(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure processes that start, import a client, and exit."""

    def measure(environment: str, modules: str) -> Measure:
        code = f"import sys, {modules}; print(len(sys.modules))"

        def milliseconds() -> Figures:
            start = time.perf_counter()
            done = subprocess.run(
                [interpreter(environment), "-c", code],
                env=environ(server.ca_bundle),
                stdout=subprocess.PIPE,
                check=True,
            )
            return {"ms": (time.perf_counter() - start) * 1000, "modules": int(done.stdout)}

        return milliseconds

    measures = {name: measure(*what) for name, what in IMPORTS.items()}
    title = "Import in a new process"
    yield "import", side_by_side(title, measures, rounds, ("boto3", "capo", "floor"))


def cold(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure new processes that make their first call, over https and over http."""
    for scheme, url in (("https", server.https), ("http", server.http)):
        measures = {
            name: _first_call(client, url, server) for name, client in (BLOCKING | ASYNC).items()
        }
        title = f"Cold start: from exec to the first response, over {scheme}"
        rivals = ("boto3", "capo", "floor", BASELINE, f"{BASELINE}, async")
        table = side_by_side(title, measures, rounds, rivals)
        yield f"cold {scheme}", table


def _first_call(client: Client, url: str, server: Server) -> Measure:
    command = [client.python, CLIENTS / "first_call.py", client.module, url]

    def milliseconds() -> Figures:
        start = time.perf_counter()
        with subprocess.Popen(
            command, env=environ(server.ca_bundle), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            answered = time.perf_counter()
        ended = time.perf_counter()
        assert process.returncode == 0, command
        imported, called, cpu, peak, modules = map(float, line.split())
        return {
            "ms": (answered - start) * 1000,
            "ms with exit": (ended - start) * 1000,
            "CPU ms": cpu * 1000,
            "imports ms": imported * 1000,
            "client and call ms": called * 1000,
            "peak MB": peak * 1024 / 1e6,
            "modules": modules,
        }

    return milliseconds
