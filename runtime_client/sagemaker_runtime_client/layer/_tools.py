"""Runs the programs that build a layer: pip, and an interpreter of the layer's Python version."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from shutil import which

from .._errors import ConfigError


@lru_cache
def interpreter(version: str) -> str:
    """Return the path of an interpreter of a Python version.

    Args:
        version: The version of Python, such as ``3.12``.

    Raises:
        ConfigError: No interpreter of this version is installed.  Only such an interpreter can
            compile the bytecode for this version.  Without bytecode, each cold start in Lambda
            would compile the source files in the layer.
    """
    for candidate in _candidates(version):
        if _version(candidate) == version:
            return candidate
    raise ConfigError(
        f"Python {version}, which compiles the layer's bytecode, was not found: "
        f"put python{version} on the PATH, or select other versions with --python"
    )


def _candidates(version: str) -> Iterator[str]:
    """Yield the paths of interpreters to try: this one, the one on the PATH, and pyenv's."""
    yield sys.executable
    if (found := which(f"python{version}")) is not None:
        yield found
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    folders = versions.glob(f"{version}.*")
    for folder in sorted(folders, key=lambda folder: (len(folder.name), folder.name), reverse=True):
        yield str(folder / "bin" / "python")


def _version(python: str) -> str | None:
    """Return an interpreter's version, or None if it cannot run, as is common for pyenv shims."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def run(python: str, *arguments: str | Path) -> str:
    """Run a Python interpreter with a fixed hash seed, and return its standard output.

    Raises:
        ConfigError: The program failed; the message contains its error output.
    """
    # pip's environment variables are kept.  Python's variables are removed, because they are meant
    # for this interpreter and must not affect another one.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        [python, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        title = arguments[1] if arguments[0] == "-m" else "python"
        raise ConfigError(f"{title} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def pip(python: str, *arguments: str | Path) -> str:
    """Run the pip of this environment for the interpreter *python*, and return pip's output."""
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore")
    return run(sys.executable, "-m", "pip", "--python", python, *arguments, *quiet)
