"""Run complete jobs in minimal environments, with only the run-time packages.

Each job is a new process with few environment variables, without `cryptography` and without
package metadata, as in a Lambda layer.  Its certifi bundle contains only the server's certificate.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipapp
from hashlib import sha256
from importlib.metadata import distribution, version
from pathlib import Path

import certifi  # noqa: F401 (it is put aside, and comes back)
import pytest
from attrs import field, frozen
from packaging.requirements import Requirement
from packaging.version import Version
from PyInstaller.depend.bindepend import get_python_library_path
from PyInstaller.exceptions import PythonLibraryNotFoundError

import sagemaker_runtime_client
import sigv4
from sagemaker_runtime_client._io import tls
from sagemaker_runtime_client.credentials._chain import ORDER
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client.loopback import Loopback, certify, in_front_of

JOB = Path(__file__).parent / "job.py"
LEFT_OUT = {"cryptography"}
# Packages that are installed for the tests.  The job does not need them, and freezing them would
# take long.
UNFROZEN = (
    *("_pytest", "click", "httpx2", "hypothesis", "pygments", "pytest", "rich", "setuptools"),
    *("trio", "uvloop"),
    *LEFT_OUT,
)
LOGIN = "arn:aws:iam::123456789012:user/me"
CONFIG = f"""
[profile login]
login_session = {LOGIN}
[profile anywhere]
roles_anywhere_trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a
roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p
roles_anywhere_role_arn = arn:aws:iam::123456789012:role/r
roles_anywhere_certificate = /leaf.pem
roles_anywhere_private_key = /leaf.key
"""
WORKED = ["BLOCKING BLOCKING", "AWAITED AWAITED"]
LACKS = [
    (
        "SigV4A requires the cryptography package: pip install cryptography (the import failed: No "
        "module named 'cryptography')"
    ),
    *[
        f"{feature} requires the cryptography package, which cannot be imported "
        "(No module named 'cryptography'): run pip install cryptography"
        for feature in (
            "IAM Roles Anywhere",
            "refreshing an `aws login` session",
            "verifying a message of SNS",
        )
    ],
]


def packages(distribution_name):
    """Yield the path of each top-level module or package that *distribution_name* needs at run
    time.
    """
    for text in distribution(distribution_name).requires or ():
        requirement = Requirement(text)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not wanted or requirement.name in LEFT_OUT:
            continue
        needed = distribution(requirement.name)
        names = {path.parts[0] for path in needed.files if path.suffix == ".py"}
        yield from (Path(needed.locate_file(name)) for name in names - {".."})
        yield from packages(requirement.name)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The path of a self-signed certificate, and the TLS context of a server that uses it."""
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, certificate):
    """A folder that contains only the run-time packages, and the job as ``__main__.py``."""
    folder = tmp_path_factory.mktemp("bare") / "packages"
    folder.mkdir()
    own = (Path(package.__file__).parent for package in (sigv4, sagemaker_runtime_client))
    for path in {*own, *packages("sagemaker-runtime-client")}:
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, folder / path.name)
    shutil.copy(JOB, folder / "__main__.py")
    (folder / "certifi" / "cacert.pem").write_bytes(Path(certificate[0]).read_bytes())
    return folder


@pytest.fixture(scope="module")
def archive(folder):
    """A zip archive of the folder, which Python can run."""
    path = folder.with_suffix(".pyz")
    zipapp.create_archive(folder, path, filter=lambda path: "__pycache__" not in path.parts)
    return path


@pytest.fixture(scope="module")
def urls(certificate):
    """An emulator that checks every signature, and the list of its http URL and its https URL."""
    with (
        Emulator(model=lambda request: request.body.upper()) as emulator,
        Loopback(in_front_of(emulator.url), certificate[1]) as front,
    ):
        yield emulator, [emulator.url, front.url]


@pytest.fixture(scope="module")
def environ(urls, tmp_path_factory):
    """Environment variables with credentials, region and configuration files, but without HOME."""
    home = tmp_path_factory.mktemp("home")
    (home / "config").write_text(CONFIG)
    keys = {"accessKeyId": "AKID", "secretAccessKey": "s", "sessionToken": "t", "accountId": "1"}
    login = {
        "accessToken": {**keys, "expiresAt": "2020-01-01T00:00:00Z"},
        "tokenType": "aws_sigv4",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": "refresh",
        "dpopKey": "a key",
    }
    (home / f"{sha256(LOGIN.encode()).hexdigest()}.json").write_text(json.dumps(login))
    emulator, _ = urls
    return {
        "AWS_ACCESS_KEY_ID": emulator.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.credentials.secret_access_key,
        "AWS_REGION": emulator.region,
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_LOGIN_CACHE_DIRECTORY": str(home),
    }


@frozen
class Environment:
    """An environment in which the job runs.

    Attributes:
        program: What Python runs: the folder, the archive, or ``job.py`` with the archive on the
            path.
        flags: Python's command-line flags.
        variables: Additional environment variables.
        limits: A shell command that sets limits before the program starts.
    """

    program: str
    flags: tuple[str, ...] = ()
    variables: dict[str, str] = field(factory=dict)
    limits: str = ":"


ALONE = ("-I", "-S")
READ_ONLY_ZIP = Environment("archive", ALONE, limits="ulimit -f 0")
ENVIRONMENTS = {
    "folder": Environment("folder", ALONE),
    "optimised": Environment("folder", (*ALONE, "-OO")),
    "zip on the path": Environment("zip on the path", ("-S",)),
    "zipapp": Environment("archive", ALONE),
    # With this limit no process can write to a file anywhere, even as root or in a temporary
    # folder.
    "read-only": Environment("folder", ALONE, {"HOME": "/"}, "ulimit -f 0"),
    "read-only zipapp": READ_ONLY_ZIP,
    "ASCII, and no folder at home": Environment(
        "folder", (*ALONE, "-X", "utf8=0"), {"LC_ALL": "C", "HOME": "/dev/null"}
    ),
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_job(environment, folder, archive, urls, environ):
    """In each environment, both clients run the job over http and verified https, and the errors of
    unavailable features give the reason.
    """
    if environment == READ_ONLY_ZIP and Version(version("httpx")) < Version("0.28"):
        pytest.skip("httpx 0.27 extracts certifi's file when it is imported")
    arguments, variables = {
        "folder": ([folder], {}),
        "archive": ([archive], {}),
        "zip on the path": ([JOB], {"PYTHONPATH": str(archive)}),
    }[environment.program]
    python = [sys.executable, "-B", "-bb", "-W", "error", *environment.flags]
    done = subprocess.run(
        ["sh", "-c", f'{environment.limits} && exec "$@"', "sh", *python, *arguments, *urls[1]],
        env={**environ, **variables, **environment.variables},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [*WORKED * 2, *LACKS]


@pytest.fixture(scope="module")
def frozen(folder):
    """The job, which PyInstaller has frozen into a single file without custom hooks."""
    try:
        get_python_library_path()
    except PythonLibraryNotFoundError:
        pytest.skip("PyInstaller needs a Python with a shared library, in a place of the system's")
    target = folder.parent / "frozen"
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", JOB, "--onefile", "--log-level=ERROR"]
        + [f"--{name}path={target / name}" for name in ("dist", "work", "spec")]
        + [f"--paths={folder}", *(f"--exclude-module={name}" for name in UNFROZEN)],
        env={**os.environ, "PYINSTALLER_CONFIG_DIR": str(target)},
        check=True,
    )
    return target / "dist" / JOB.stem


def test_frozen(frozen, urls, environ, certificate):
    """The frozen job succeeds, so PyInstaller has found all imports, even deferred ones."""
    done = subprocess.run(
        [frozen, *urls[1]],
        env={**environ, "AWS_CA_BUNDLE": str(certificate[0])},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [*WORKED * 2, *LACKS]


def test_frozen_without_keys(frozen, urls):
    """Without credentials, the frozen job fails after it has tried each provider of the default
    chain.
    """
    environ = {"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [frozen, urls[1][0]], env=environ, cwd="/", capture_output=True, text=True, check=False
    )
    assert "NoCredentialsError" in done.stderr
    assert [source.name for source in ORDER if f"{source.name} (" not in done.stderr] == []


@pytest.mark.parametrize("module", ["sigv4", "sagemaker_runtime_client"])
def test_help(archive, module):
    """The help of both command-line tools lists exit codes, even with ``-OO`` and from a zip
    archive.
    """
    done = subprocess.run(
        [sys.executable, "-B", "-S", "-OO", "-W", "error", "-m", module, "--help"],
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"Exit codes:\n\n +0 +\w", done.stdout)


def test_certificates_in_a_zip(archive, bare_environment):
    """If no temporary folder can be written, the certifi bundle is read from the zip archive."""
    monkeypatch = bare_environment
    monkeypatch.syspath_prepend(archive)
    for module in ("certifi", "certifi.core"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert [
        value
        for one in tls._context.__wrapped__(None).get_ca_certs()
        for ((_, value),) in one["subject"]
    ] == ["loopback"]
