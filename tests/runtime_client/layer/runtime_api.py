"""The Lambda side of a function: its Runtime API, and the sandbox in which the function runs.

The function runs under AWS's runtime client, `awslambdaric`.  Its module search path contains only
the function's folder, the layer and that client: no site-packages, no home folder, no writable
folder.
"""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Event, Thread

from sagemaker_runtime_client.layer._pins import pip_platform_options
from sagemaker_runtime_client.layer._recipe import ARCHITECTURES
from sagemaker_runtime_client.layer._tools import interpreter, pip
from tests.runtime_client.layer.pythons import command

ROOT = Path(__file__).parent.parent.parent.parent
TIMEOUT = 60.0
_TIME_LIMIT = 900  # the longest timeout that Lambda allows for a function, in seconds
_PREFIX = "/2018-06-01/runtime/"


class FunctionError(Exception):
    """The error that the function raised, as reported to Lambda."""


class RuntimeAPI:
    """A Runtime API that passes events to a function, one after another, while its context is open."""

    def __init__(self):
        self._events, self._results = Queue(), Queue()
        self.snapshot, self.restored = Event(), Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == f"{_PREFIX}restore/next":
                    api.snapshot.set()
                    assert api.restored.wait(TIMEOUT)
                    return self.respond(200)
                assert self.path == f"{_PREFIX}invocation/next"
                event = api._events.get()
                if (
                    event is None
                ):  # the function has ended, so wake up other waiting threads as well
                    api._events.put(None)
                    self.close_connection = True
                    return None
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + _TIME_LIMIT) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f",
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9;Sampled=1",
                    "Content-Type": "application/json",  # the native client crashes without this header
                }
                return self.respond(200, event, headers)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                failed = self.path.endswith("/error")
                api._results.put(FunctionError(body) if failed else body)
                self.respond(202)

            def respond(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Log nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def invoke(self, *events):
        """Pass events to the function, and return its results in the order of completion."""
        for event in events:
            self._events.put(json.dumps(event).encode())
        results = [self._results.get(timeout=TIMEOUT) for _ in events]
        for result in results:
            if isinstance(result, FunctionError):
                raise result
        return results


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignore an OSError, because a test may kill the function on purpose."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Sandbox:
    """A process that runs a function while its context is open.

    Args:
        spec: The specification of the layer.
        layer: The unpacked layer.
        runtime: The folder with Lambda's runtime client, which Lambda has in /var/runtime.
        task: The folder with the function's code.
        handler: The name of the handler, such as ``app.handler``.
        environ: The environment variables of the function.
    """

    def __init__(self, *, spec, layer, runtime, task, handler, environ):
        self._api = RuntimeAPI()
        path = [task, layer / "python", runtime]
        function = ["-s", "-S", "-P", "-m", "awslambdaric", handler]
        self._command, self._task = [*unprivileged(), *command(spec), *function], task
        self._environ = {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{spec.python}",
            "AWS_REGION": "eu-west-1",
            **environ,
        }

    def __enter__(self):
        self._api.__enter__()
        self._process = subprocess.Popen(
            self._command, cwd=self._task, env=self._environ, start_new_session=True
        )
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGKILL)  # also kills the copies of the process
        self._process.wait()
        self._api.__exit__()

    def invoke(self, **event):
        """Invoke the function once, and return its result."""
        return self._api.invoke(event)[0]

    def invoke_all(self, *events):
        """Invoke the function once for each event; any copy of the process may handle an event."""
        return self._api.invoke(*events)

    def wait_for_snapshot(self):
        """Wait until the function has started and is ready for its snapshot."""
        assert self._api.snapshot.wait(TIMEOUT)

    def restore(self):
        """Let the function continue after its snapshot."""
        self._api.restored.set()

    def freeze(self):
        """Stop the function's process, as Lambda does after each event."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Let the function's process continue."""
        self._process.send_signal(signal.SIGCONT)


def unprivileged():
    """Return a command prefix under which file modes apply even to root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def runtime_folder(spec):
    """Return the folder with AWS's runtime client for a layer's Python.

    The client is installed once.
    """
    folder = Path(sys.prefix, "lambda", f"{spec.python}-{spec.architecture}")
    if not folder.exists():
        group = ("--group", f"{ROOT / 'pyproject.toml'}:lambda")
        wheels = pip_platform_options(ARCHITECTURES[spec.architecture])
        pip(interpreter(spec.python), "install", *group, "--target", folder, *wheels)
    return folder
