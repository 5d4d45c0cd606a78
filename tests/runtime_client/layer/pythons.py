"""
The Pythons that functions run with: those found here and, for arm64 on another machine, Debian's.

QEMU emulates the latter, one program at a time.  `make layer-test` fetches them with apt, from the mirror
that it uses here, into a folder of the environment: nothing is installed, and nobody need be root.  Debian
has not each Python; without apt there is none.
"""

import platform
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from shutil import copy, rmtree, which
from tempfile import TemporaryDirectory

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client.layer._recipe import PYTHONS
from sagemaker_runtime_client.layer._tools import interpreter, run

# This machine's, as Lambda calls it.
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
# Debian's release that has it, for each Python.
_RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
_ARM64 = {"APT::Architecture": "arm64", "APT::Architectures": "arm64"}
_FOLDER = Path(sys.prefix, "arm64")
_EMULATOR = _FOLDER / "qemu-aarch64-static"


@cache
def found():
    """Return the versions that functions can run with here, each with its architecture."""
    fetched = [(python, "arm64") for python in PYTHONS if (_FOLDER / python).exists()]
    return [(python, ARCHITECTURE) for python in PYTHONS if _is_here(python)] + fetched


def command(plan):
    """Return what starts the Python of a layer's plan."""
    if plan.architecture == ARCHITECTURE:
        return [interpreter(plan.python)]
    root = _FOLDER / plan.python
    return [_EMULATOR, "-L", root, root / "usr" / "bin" / f"python{plan.python}"]


def _is_here(python):
    """Tell whether there is such a Python of this machine's architecture."""
    try:
        return bool(interpreter(python))
    except ConfigError:
        return False


def fetch():
    """Fetch the emulator, and each Python of which there is one here too, for it compiles the library."""
    rmtree(_FOLDER, ignore_errors=True)
    mirror = "" if ARCHITECTURE == "arm64" else _mirror()
    if not mirror:
        return
    _FOLDER.mkdir()
    with TemporaryDirectory() as scratch:
        _unpack(["qemu-user-static"], f"deb {mirror} bookworm main\n", Path(scratch))
        copy(Path(scratch, "usr", "bin", _EMULATOR.name), _EMULATOR)
    for python, release in filter(lambda one: _is_here(one[0]), _RELEASES.items()):
        root = _FOLDER / python
        # AWS's runtime client is written in C++.
        source = f"deb {mirror} {release} main\n"
        _unpack([f"python{python}", "libstdc++6"], source, root, **_ARM64)
        (root / "lib").is_dir() or (root / "lib").symlink_to("usr/lib")
        run(interpreter(python), "-m", "compileall", "-q", root / "usr" / "lib" / f"python{python}")


def _mirror():
    """Return where apt gets Debian's packages; an empty text where it gets none."""
    if which("apt-get") is None:
        return ""
    with TemporaryDirectory() as scratch:
        apt = _apt(Path(scratch))
        apt("update")
        targets = ("Created-By: Packages", "Origin: Debian", "Component: main")
        return apt("indextargets", "--format=$(REPO_URI)", *targets).partition("\n")[0]


def _unpack(packages, source, root, **settings):
    """Unpack packages and all that they need; nothing is run, as installing them would."""
    with TemporaryDirectory() as scratch:
        sources = Path(scratch, "sources.list")
        sources.write_text(source)
        settings |= {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null"}
        apt = _apt(Path(scratch), **settings)
        apt("update")
        apt("install", "--download-only", "--yes", *packages)
        root.mkdir(exist_ok=True)
        for archive in Path(scratch).rglob("*.deb"):
            _run("dpkg", "--extract", archive, root)


def _apt(scratch, **settings):
    """Return a function that has apt work in a folder, as if nothing were installed."""
    for folder in ("state/lists", "cache/archives"):
        (scratch / folder / "partial").mkdir(parents=True)
    (scratch / "status").touch()
    settings |= {
        "Dir::State": scratch / "state",
        "Dir::State::status": scratch / "status",
        "Dir::Cache": scratch / "cache",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "false",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    return partial(_run, "apt-get", "--quiet=2", *options)


def _run(*words):
    """Run a program, and return what it prints."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    fetch()
