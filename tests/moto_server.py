"""moto's server, an independent implementation of many AWS services, which verifies no signatures."""

import re
import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def running():
    """Run moto's server in another process until the context ends; the context is its URL."""
    arguments = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        found = (
            re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in process.stderr
        )
        yield next(match[1] for match in found if match)
        process.terminate()
        process.communicate(timeout=10)
