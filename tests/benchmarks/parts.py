"""Measure the parts of a first call.

Each part is measured in a new process, after the code that precedes this part in a call.
"""

import subprocess
from collections.abc import Iterator

from contenders import environ, interpreter
from loopback import Server
from rounds import Figures, Measure, Table, side_by_side

_LOADED = "import httpx, h11"
_PACKAGE = f"{_LOADED}, sagemaker_runtime_client"
_TLS = f"{_LOADED}, ssl, os; from sagemaker_runtime_client._io import tls; bundle = os.environ['AWS_CA_BUNDLE']"
# This dict maps the name of each part to the code that must run before it, and the code to measure.
PARTS = {
    "httpx": ("import json", "import httpx"),
    "h11": ("import httpx", "import h11"),
    "this package": (_LOADED, "import sagemaker_runtime_client"),
    "asyncio": (_LOADED, "import asyncio"),
    "Amazon's authorities": (_TLS, "tls.context_makers(bundle)[0]()"),
    "not loaded: the whole bundle": (_TLS, "tls.tls_context(bundle)"),
    "not loaded: httpcore": (_LOADED, "import httpcore"),
    "not loaded: attrs": (_LOADED, "import attrs"),
    "not loaded: anyio for asyncio": (f"{_LOADED}, asyncio", "import anyio._backends._asyncio"),
    "not loaded: cryptography": (
        _LOADED,
        "from cryptography.hazmat.primitives.asymmetric import ec",
    ),
    "not loaded: S3 and waiting": (
        _PACKAGE,
        "import sagemaker_runtime_client._inference.wait",
    ),
    "not loaded: uuid": (_LOADED, "import uuid"),
    "events": (_PACKAGE, "import sagemaker_runtime_client.events"),
    "events and handlers": (_PACKAGE, "import sagemaker_runtime_client.handlers"),
}


def parts(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure the parts of a first call, and the imports that a first call avoids."""

    def measure(before: str, part: str) -> Measure:
        clock = "time.perf_counter()"
        code = f"import time\n{before}\nstart = {clock}\n{part}\nprint({clock} - start)"

        def milliseconds() -> Figures:
            done = subprocess.run(
                [interpreter("ours"), "-c", code],
                env=environ(server.ca_bundle),
                stdout=subprocess.PIPE,
                check=True,
            )
            return {"ms": float(done.stdout) * 1000}

        return milliseconds

    measures = {name: measure(*what) for name, what in PARTS.items()}
    yield "parts", side_by_side("Parts of a first call", measures, rounds, ())
