"""The wheels that layers are made of: each by its hash."""

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import requires
from pathlib import Path
from tempfile import TemporaryDirectory

from .._errors import ConfigError
from ._recipe import ARCHITECTURES, DISTRIBUTION, NEVER, PYTHONS
from ._tools import interpreter, pip

PINS = Path(__file__).parent / "pins.txt"

_HEAD = (
    "# What layers are made of, as pip reads it.  Renewed by: sagemaker-runtime layer --renew\n\n"
)


def pins(text: str, without: Iterable[str] = ()) -> str:
    """
    Return the pins of a file, each in one line.

    Args:
        text: What the file holds.
        without: Projects to leave out.
    """
    lines = text.replace("\\\n", " ").splitlines()
    kept = [line for line in lines if line and line[0] != "#"]
    return "".join([f"{line}\n" for line in kept if _project(line) not in without])


def renew(file: Path = PINS, needed: Iterable[str] | None = None) -> None:
    """
    Resolve requirements anew, on every Python and architecture, and pin what they come to.

    Args:
        file: Where the pins go; those that came with the package.
        needed: Requirements; those of the distribution.

    Raises:
        ConfigError: A Python is missing, or a project has no one version that suits them all.
    """
    if needed is None:
        needed = [line for line in requires(DISTRIBUTION) or () if "extra ==" not in line]
    found: dict[str, set[str]] = {}
    for python in PYTHONS:
        for platform in ARCHITECTURES.values():
            for pin, digest in _resolve(python, platform, needed).items():
                found.setdefault(pin, set()).add(digest)
    projects = [_project(pin) for pin in found]
    if torn := {project for project in projects if projects.count(project) > 1}:
        raise ConfigError(f"no one version suits all Pythons: {', '.join(sorted(torn))}")
    file.write_text(_HEAD + _written(found))


def _resolve(python: str, platform: str, needed: Iterable[str]) -> dict[str, str]:
    """Return what is installed on a platform, as pins, each with the digest of its wheel."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ("--dry-run", "--ignore-installed", "--report", report, "--target", folder)
        pip(interpreter(python), "install", *options, *on(platform), *needed)
        installed = json.loads(report.read_text())["install"]
    pinned: dict[str, str] = {}
    for one in installed:
        metadata = one["metadata"]
        if _project(metadata["name"]) not in NEVER:
            digest = one["download_info"]["archive_info"]["hashes"]["sha256"]
            pinned[f"{metadata['name']}=={metadata['version']}"] = digest
    return pinned


def on(platform: str) -> tuple[str, ...]:
    """Return the options that make pip choose wheels for a platform, and nothing but wheels."""
    return ("--only-binary=:all:", "--platform", platform, "--no-compile")


def _written(found: Mapping[str, set[str]]) -> str:
    """Return pins as they stand in a file."""
    return "".join(
        " \\\n    ".join([pin, *[f"--hash=sha256:{digest}" for digest in sorted(found[pin])]])
        + "\n"
        for pin in sorted(found, key=_project)
    )


def _project(pin: str) -> str:
    """Return the name of a pin's project, as registries compare it."""
    return re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower()
