"""Fixtures that build layers, unpack them as Lambda does, and respond to the functions' requests."""

import json
import os
import re
import shutil
import socket
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from threading import Barrier
from zipfile import ZipFile

import pytest

from sagemaker_runtime_client.layer import _pins
from sagemaker_runtime_client.layer._build import LayerSpec, build
from sagemaker_runtime_client.layer._recipe import PYTHONS
from sigv4 import Credentials
from tests.runtime_client.layer.pythons import ARCHITECTURE, found
from tests.runtime_client.layer.runtime_api import ROOT, TIMEOUT, Sandbox, runtime_folder
from tests.runtime_client.loopback import Loopback, response

THIS_PYTHON = "{}.{}".format(*sys.version_info)
# `make layer-test` sets LAYERS=all, which tests the layers for all available Python versions, and
# runs the slow tests.
ALL_PYTHONS = os.environ.get("LAYERS") == "all"
# On a Python version that Lambda does not offer yet, pytest collects no test in this folder.
collect_ignore_glob = [] if THIS_PYTHON in PYTHONS else ["test_*.py"]
SPECS = {
    f"{variant}{'-sourceless' if sourceless else ''}-{python}-{architecture}": LayerSpec(
        python, architecture, variant, sourceless
    )
    for python, architecture in (found() if ALL_PYTHONS else [(THIS_PYTHON, ARCHITECTURE)])
    for variant, sourceless in (("lean", False), ("lean", True), ("full", False))
}
LEAN = LayerSpec(THIS_PYTHON, ARCHITECTURE, "lean")
# These are the direct dependencies of the distribution package.
REQUIRED = [
    re.match(r"[\w-]+", line)[0]
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
]


def pytest_report_header():
    """List the layers under test, because Debian does not provide every Python version for arm64."""
    return f"layers: {', '.join(SPECS)}" if ALL_PYTHONS else None


class Unpacked:
    """A layer unpacked into a read-only folder."""

    def __init__(self, spec, folder):
        self.spec = spec
        self.built = build(spec, folder)
        self.opt = folder / "opt"
        with ZipFile(self.built.path) as layer:
            layer.extractall(self.opt)
        read_only(self.opt)

    @property
    def python(self):
        """The folder that Lambda adds to the module search path."""
        return self.opt / "python"


def read_only(folder):
    """Make a folder and everything in it read-only."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """A function that builds and unpacks the layer for a specification.

    Each layer is built only once.
    """
    made = {}

    def make(spec):
        if spec not in made:
            made[spec] = Unpacked(spec, tmp_path_factory.mktemp("layer"))
        return made[spec]

    return make


@pytest.fixture(params=[pytest.param(spec, id=name) for name, spec in SPECS.items()])
def layer(request, unpacked):
    """Each layer for this Python version in turn; with LAYERS=all, each layer for every version."""
    return unpacked(request.param)


@pytest.fixture
def lean_layer(unpacked):
    """The lean layer for this Python version."""
    return unpacked(LEAN)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A function that builds a wheel in a folder, and returns the wheel's pin. pip searches only
    this folder.
    """
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(_pins, "PYTHONS", [THIS_PYTHON])

    def make(name, version, tag="py3-none-any", requires=()):
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {other}" for other in requires]
        info = f"{name}-{version}.dist-info"
        path = tmp_path / f"{name}-{version}-{tag}.whl"
        with ZipFile(path, "w") as made:
            made.writestr(f"{name}.py", f"version = {version!r}\n")
            made.writestr(f"{info}/METADATA", "\n".join([*lines, "", "Its description."]))
            made.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            made.writestr(f"{info}/RECORD", "")
        return f"{name}=={version} --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n"

    return make


class Service:
    """A server that simulates SageMaker, S3 and the container credentials endpoint.

    Each signature is verified with the newest credentials in `known`, and with a clock that is
    ahead by `ahead`.  If the payload of a job is ``meet``, the response waits for another such job.
    """

    def __init__(self):
        self.known = [Credentials("AKIDEXAMPLE", "secret", "token")]
        self.ahead = timedelta()
        self.open = []
        self.server = Loopback(self._answer)
        self._meeting = Barrier(2)

    def _answer(self, request, connection):
        self.open.append(connection)
        if request.target == "/keys":
            return self._keys()
        now = datetime.now(UTC) + self.ahead
        signed_at = datetime.strptime(request.header("x-amz-date"), "%Y%m%dT%H%M%S%z")
        if abs(signed_at - now) > timedelta(minutes=5):
            kind = {"x-amzn-ErrorType": "InvalidSignatureException", "Date": format_datetime(now)}
            return response(b'{"message": "Signature expired"}', 403, kind)
        service = "sagemaker" if request.method == "POST" else "s3"
        request.verify(self.known[-1], service, "eu-west-1", at=now)
        if request.method == "GET":
            return response(b"ANSWER")
        if request.body == b"refuse":
            return response(b'{"message": "no"}', 400, {"x-amzn-ErrorType": "ValidationError"})
        if request.body == b"meet":
            self._meeting.wait(TIMEOUT)
        places = {"X-Amzn-SageMaker-OutputLocation": "s3://bucket/out"}
        inference = request.header("x-amzn-sagemaker-inference-id")
        return response(f'{{"InferenceId": "{inference}"}}'.encode(), 202, places)

    def _keys(self):
        keys = self.known[-1]
        document = {
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "Token": keys.session_token,
            "Expiration": "2099-01-01T00:00:00Z",
        }
        return response(json.dumps(document).encode())

    def received(self, method, target=""):
        """Return the received requests with this method, whose target starts with *target*."""
        return [
            request
            for request in self.server.requests
            if request.method == method and request.target.startswith(target)
        ]

    @property
    def container(self):
        """The environment variables of a function that gets its credentials from the container endpoint.

        SnapStart functions get their credentials in this way.
        """
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.server.url}/keys",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        }

    @property
    def environ(self):
        """The environment variables of a function, including its credentials."""
        keys = self.known[-1]
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token,
        }

    def close_idle(self):
        """Close all connections, as servers do with idle connections."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the connection is already closed
                continue


@pytest.fixture
def service():
    """A running `Service`."""
    service = Service()
    with service.server:
        yield service


@pytest.fixture(scope="session")
def task(tmp_path_factory):
    """The read-only folder with the code of the functions."""
    folder = tmp_path_factory.mktemp("task")
    shutil.copytree(Path(__file__).parent / "functions", folder, dirs_exist_ok=True)
    read_only(folder)
    return folder


@pytest.fixture
def sandbox(task):
    """A function that creates a sandbox for a layer, a handler and its environment variables."""

    def make(layer, handler, environ):
        return Sandbox(
            spec=layer.spec,
            layer=layer.opt,
            runtime=runtime_folder(layer.spec),
            task=task,
            handler=handler,
            environ=environ,
        )

    return make


@pytest.fixture
def function(sandbox, layer, service):
    """A sandbox that runs the handler of `app.py`, with each layer in turn."""
    with sandbox(layer, "app.handler", service.environ) as running:
        yield running
