"""
Lambda's side: a Runtime API for one function, and the sandbox that the function runs in.

The function runs under AWS's own runtime client, `awslambdaric`, with nothing on its path but the
function's folder, the layer and that client: no site-packages, no home, no folder to write to.
"""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Event, Thread

from sagemaker_runtime_client.layer._pins import on
from sagemaker_runtime_client.layer._recipe import ARCHITECTURES
from sagemaker_runtime_client.layer._tools import interpreter, pip
from tests.runtime_client.layer.pythons import command

ROOT = Path(__file__).parent.parent.parent.parent
PATIENCE = 60.0
_PREFIX = "/2018-06-01/runtime/"


class FunctionError(Exception):
    """What the function raised, as it told Lambda."""


class RuntimeAPI:
    """Hands events to a function, one after another, for as long as the context is open."""

    def __init__(self):
        self._events, self._results = Queue(), Queue()
        self.snapshot, self.restored = Event(), Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == f"{_PREFIX}restore/next":
                    api.snapshot.set()
                    assert api.restored.wait(PATIENCE)
                    return self.answer(200)
                assert self.path == f"{_PREFIX}invocation/next"
                event = api._events.get()
                if event is None:  # the function is gone, and so is whoever else waits
                    api._events.put(None)
                    self.close_connection = True
                    return None
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                    "Lambda-Runtime-Deadline-Ms": "4102444800000",
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f",
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9;Sampled=1",
                    "Content-Type": "application/json",  # without it the native client crashes
                }
                return self.answer(200, event, headers)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                failed = self.path.endswith("/error")
                api._results.put(FunctionError(body) if failed else body)
                self.answer(202)

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

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
        """Hand over events, and return what the function returns for each, as they are done."""
        for event in events:
            self._events.put(json.dumps(event).encode())
        results = [self._results.get(timeout=PATIENCE) for _ in events]
        for result in results:
            if isinstance(result, FunctionError):
                raise result
        return results


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Keep quiet about functions that are killed; they are meant to be."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Sandbox:
    """
    A process that runs a function, for as long as the context is open.

    Args:
        plan: The layer's plan.
        layer: The unpacked layer.
        runtime: What Lambda has in /var/runtime: its runtime client.
        task: The function's folder.
        handler: The function in it, as Lambda names it.
        environ: The function's variables.
    """

    def __init__(self, *, plan, layer, runtime, task, handler, environ):
        self._api = RuntimeAPI()
        path = [task, layer / "python", runtime]
        function = ["-s", "-S", "-P", "-m", "awslambdaric", handler]
        self._command, self._task = [*unprivileged(), *command(plan), *function], task
        self._environ = {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{plan.python}",
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
        os.killpg(self._process.pid, signal.SIGKILL)  # its copies as well
        self._process.wait()
        self._api.__exit__()

    def invoke(self, **event):
        """Invoke the function, and return what it returns."""
        return self._api.invoke(event)[0]

    def invoke_all(self, *events):
        """Invoke the function for each of these, whichever copy of it takes which."""
        return self._api.invoke(*events)

    def wait_for_snapshot(self):
        """Wait until the function has started, and all is ready for its snapshot."""
        assert self._api.snapshot.wait(PATIENCE)

    def restore(self):
        """Let it go on from its snapshot."""
        self._api.restored.set()

    def freeze(self):
        """Stop the process, as Lambda does after each event."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)


def unprivileged():
    """Return what starts a process for which the modes of files count, even if it is root's."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def runtime_folder(plan):
    """Return a folder with AWS's runtime client for a layer's Python; it is installed there once."""
    folder = Path(sys.prefix, "lambda", f"{plan.python}-{plan.architecture}")
    if not folder.exists():
        group = ("--group", f"{ROOT / 'pyproject.toml'}:lambda")
        wheels = on(ARCHITECTURES[plan.architecture])
        pip(interpreter(plan.python), "install", *group, "--target", folder, *wheels)
    return folder
