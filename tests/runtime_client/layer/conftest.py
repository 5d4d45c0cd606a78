"""Layers, built once each and unpacked as Lambda does; and a service that functions in them call."""

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
from sagemaker_runtime_client.layer._build import Plan, build
from sagemaker_runtime_client.layer._recipe import PYTHONS
from sigv4 import Credentials
from tests.runtime_client.layer.pythons import ARCHITECTURE, found
from tests.runtime_client.layer.runtime_api import PATIENCE, ROOT, Sandbox, runtime_folder
from tests.runtime_client.loopback import Loopback, response

THIS_PYTHON = "{}.{}".format(*sys.version_info)
# `make layer-test` says that all are wanted, and that time does not matter.
THOROUGH = os.environ.get("LAYERS") == "all"
# On a Python that Lambda has not yet there is nothing to be tried.
collect_ignore_glob = [] if THIS_PYTHON in PYTHONS else ["test_*.py"]
PLANS = {
    f"{variant}{'-sourceless' if sourceless else ''}-{python}-{architecture}": Plan(
        python, architecture, variant, sourceless
    )
    for python, architecture in (found() if THOROUGH else [(THIS_PYTHON, ARCHITECTURE)])
    for variant, sourceless in (("lean", False), ("lean", True), ("full", False))
}
LEAN = Plan(THIS_PYTHON, ARCHITECTURE, "lean")
# The projects that the distribution requires.
REQUIRED = [
    re.match(r"[\w-]+", line)[0]
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
]


def pytest_report_header():
    """Say with which Pythons functions run, for Debian has not each of them for arm64."""
    return f"layers: {', '.join(PLANS)}" if THOROUGH else None


class Unpacked:
    """A layer, in a folder that cannot be written to."""

    def __init__(self, plan, folder):
        self.plan = plan
        self.built = build(plan, folder)
        self.opt = folder / "opt"
        with ZipFile(self.built.path) as layer:
            layer.extractall(self.opt)
        read_only(self.opt)

    @property
    def python(self):
        """The folder on the path."""
        return self.opt / "python"


def read_only(folder):
    """Take away the right to write to a folder, and to all that is in it."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """A function that returns the layer of a plan."""
    made = {}

    def of(plan):
        if plan not in made:
            made[plan] = Unpacked(plan, tmp_path_factory.mktemp("layer"))
        return made[plan]

    return of


@pytest.fixture(params=[pytest.param(plan, id=name) for name, plan in PLANS.items()])
def layer(request, unpacked):
    """Each layer for this machine; with LAYERS=all for each Python."""
    return unpacked(request.param)


@pytest.fixture
def lean_layer(unpacked):
    """The lean layer for this Python."""
    return unpacked(LEAN)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A function that makes a wheel, in a folder where pip looks for nothing else."""
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
    """
    SageMaker, S3 and a container's keys, as far as the functions need them.

    Each signature is checked, with the newest of `known`, by a clock that is `ahead`.  Jobs whose
    payload is ``meet`` wait for each other, two and two.
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
            self._meeting.wait(PATIENCE)
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

    def asked(self, method, target=""):
        """Return the requests that came with a method, for a target that begins like this."""
        return [
            request
            for request in self.server.requests
            if request.method == method and request.target.startswith(target)
        ]

    @property
    def container(self):
        """The variables that lead here, where functions get their keys as SnapStart has it."""
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.server.url}/keys",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        }

    @property
    def environ(self):
        """The variables that lead here, keys among them."""
        keys = self.known[-1]
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token,
        }

    def close_idle(self):
        """Close all connections, as a server does with idle ones."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it was closed before
                continue


@pytest.fixture
def service():
    """The service, while it runs."""
    service = Service()
    with service.server:
        yield service


@pytest.fixture(scope="session")
def task(tmp_path_factory):
    """The functions' own folder, which cannot be written to either."""
    folder = tmp_path_factory.mktemp("task")
    shutil.copytree(Path(__file__).parent / "functions", folder, dirs_exist_ok=True)
    read_only(folder)
    return folder


@pytest.fixture
def sandbox(task):
    """A function that returns the sandbox of a layer, for a handler and its variables."""

    def of(layer, handler, environ):
        return Sandbox(
            plan=layer.plan,
            layer=layer.opt,
            runtime=runtime_folder(layer.plan),
            task=task,
            handler=handler,
            environ=environ,
        )

    return of


@pytest.fixture
def function(sandbox, layer, service):
    """The functions, running in a layer."""
    with sandbox(layer, "app.handler", service.environ) as running:
        yield running
