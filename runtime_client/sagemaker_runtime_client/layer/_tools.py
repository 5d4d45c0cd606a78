"""The programs that a layer is made with: a Python of each version, pip, the compiler of bytecode."""

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
    """
    Find a Python.

    Args:
        version: Such as ``3.12``.

    Raises:
        ConfigError: There is none; a layer without bytecode would be compiled at each cold start.
    """
    for candidate in _candidates(version):
        if _version(candidate) == version:
            return candidate
    raise ConfigError(
        f"there is no Python {version} here to compile the layer's bytecode with:"
        f" put python{version} on the PATH, or leave the version out"
    )


def _candidates(version: str) -> Iterator[str]:
    """Yield what may be a Python of this version: this one, that on the PATH, pyenv's newest first."""
    yield sys.executable
    if (found := which(f"python{version}")) is not None:
        yield found
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    folders = versions.glob(f"{version}.*")
    for folder in sorted(folders, key=lambda folder: (len(folder.name), folder.name), reverse=True):
        yield str(folder / "bin" / "python")


def _version(python: str) -> str | None:
    """Return the version of a Python; None if it does not run, as pyenv's shims may not."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def run(python: str, *arguments: str | Path) -> str:
    """
    Run a Python under a fixed hash seed, and return what it prints.

    Raises:
        ConfigError: It failed, for the reason that it gave.
    """
    # What the environment has for pip counts; what it has for this Python is not for that one.
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
    """Run this environment's pip for another Python, and return what it prints."""
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore")
    return run(sys.executable, "-m", "pip", "--python", python, *arguments, *quiet)
