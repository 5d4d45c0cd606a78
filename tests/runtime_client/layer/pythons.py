"""The Python versions that run tests and build layers: those installed here, and Debian's.

The Makefile runs this module to download Debian's Pythons into folders of the virtual environment.
The module uses apt and the mirror that this machine uses.  The folder `native` contains the
versions that are not installed here.  The folder `arm64` contains Pythons for arm64, which run
under QEMU's user-mode emulation.  The packages are only unpacked, so no root access is needed.
Debian does not provide every version.  If apt is not installed, nothing is downloaded.
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

# The architecture of this machine, in Lambda's terms.
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
# This maps each Python version to the Debian release that contains it.
_RELEASES = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
_ARM64 = {"APT::Architecture": "arm64", "APT::Architectures": "arm64"}
_NATIVE = Path(sys.prefix, "pythons")
_EMULATED = Path(sys.prefix, "arm64")
_EMULATOR = _EMULATED / "qemu-aarch64-static"
# A Python from Debian needs the loader and the libraries of its own release.
_LIBRARIES = ("lib", "usr/lib")
_LAUNCHER = """\
#!/bin/sh
exec {loader} --library-path {libraries} --argv0 "$0" {program} "$@"
"""


@cache
def found():
    """Return the Python versions, with their architectures, that can run functions here."""
    emulated = [(python, "arm64") for python in PYTHONS if (_EMULATED / python).exists()]
    return [(python, ARCHITECTURE) for python in PYTHONS if _is_here(python)] + emulated


def command(spec):
    """Return the command that starts the Python interpreter for a layer."""
    if spec.architecture == ARCHITECTURE:
        return [interpreter(spec.python)]
    root = _EMULATED / spec.python
    return [_EMULATOR, "-L", root, root / "usr" / "bin" / f"python{spec.python}"]


def _is_here(python):
    """Return whether this Python version is installed for this machine's architecture."""
    try:
        return bool(interpreter(python))
    except ConfigError:
        return False


def fetch_native():
    """Download the Pythons that Debian provides and that are not installed here."""
    rmtree(_NATIVE, ignore_errors=True)
    missing = [python for python in _RELEASES if not _is_here(python)]
    if missing and (mirror := _mirror()):
        for python in missing:
            _fetch_native(python, mirror)


def _fetch_native(python, mirror):
    """Download a Python version for this machine that can create virtual environments."""
    root = _NATIVE / python
    packages = [f"python{python}", f"python{python}-venv", "libstdc++6"]
    _unpack(packages, f"deb {mirror} {_RELEASES[python]} main\n", root)
    for settings in (root / "usr" / "lib" / f"python{python}").glob("_sysconfigdata_*.py"):
        wheels = "/usr/share/python-wheels"  # the folder in which venv finds pip
        settings.write_text(settings.read_text().replace(f"'{wheels}", f"'{root}{wheels}"))
    program = root / "usr" / "bin" / f"python{python}"
    original = program.rename(program.with_name(f"{program.name}.elf"))
    (loader,) = root.glob("lib*/ld-linux-*.so.*")
    libraries = ":".join([f"{root}/{one}/{platform.machine()}-linux-gnu" for one in _LIBRARIES])
    _write_program(program, _LAUNCHER.format(loader=loader, libraries=libraries, program=original))
    # The command in `bin` is a script, not a link, because Python locates its standard library
    # relative to the path by which it is started.
    (_NATIVE / "bin").mkdir(exist_ok=True)
    _write_program(_NATIVE / "bin" / program.name, f'#!/bin/sh\nexec {program} "$@"\n')


def _write_program(path, text):
    """Write an executable shell script."""
    path.write_text(text)
    path.chmod(0o755)


def fetch_arm64():
    """Download QEMU, and the arm64 Python for each version that is also installed here.

    The installed Python compiles the standard library of the emulated Python.
    """
    rmtree(_EMULATED, ignore_errors=True)
    mirror = "" if ARCHITECTURE == "arm64" else _mirror()
    if not mirror:
        return
    _EMULATED.mkdir()
    with TemporaryDirectory() as scratch:
        _unpack(["qemu-user-static"], f"deb {mirror} bookworm main\n", Path(scratch))
        copy(Path(scratch, "usr", "bin", _EMULATOR.name), _EMULATOR)
    for python in filter(_is_here, _RELEASES):
        root = _EMULATED / python
        # AWS's runtime client is written in C++, and requires libstdc++.
        source = f"deb {mirror} {_RELEASES[python]} main\n"
        _unpack([f"python{python}", "libstdc++6"], source, root, **_ARM64)
        run(interpreter(python), "-m", "compileall", "-q", root / "usr" / "lib" / f"python{python}")


def _mirror():
    """Return the URL from which apt downloads Debian's packages; an empty string if none is set."""
    if which("apt-get") is None:
        return ""
    with TemporaryDirectory() as scratch:
        apt = _apt(Path(scratch))
        apt("update")
        targets = ("Created-By: Packages", "Origin: Debian", "Component: main")
        return apt("indextargets", "--format=$(REPO_URI)", *targets).partition("\n")[0]


def _unpack(packages, source, root, **settings):
    """Download and unpack packages with their dependencies, without running their install scripts."""
    with TemporaryDirectory() as scratch:
        sources = Path(scratch, "sources.list")
        sources.write_text(source)
        settings |= {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null"}
        apt = _apt(Path(scratch), **settings)
        apt("update")
        apt("install", "--download-only", "--yes", *packages)
        root.mkdir(parents=True, exist_ok=True)
        for archive in Path(scratch).rglob("*.deb"):
            _run("dpkg", "--extract", archive, root)
    for folder in ("lib", "lib64"):  # newer releases of Debian do not contain these links
        if not (root / folder).exists():
            (root / folder).symlink_to(f"usr/{folder}")


def _apt(scratch, **settings):
    """Return a function that runs apt in a folder, as if no packages were installed."""
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
    """Run a program and return its output."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    {"native": fetch_native, "arm64": fetch_arm64}[sys.argv[1]]()
