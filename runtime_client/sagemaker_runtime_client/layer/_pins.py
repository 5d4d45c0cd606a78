"""The wheels that layers are made of: each by its hash."""

import json
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import requires
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from .._errors import ConfigError
from .._io.files import replacing
from ._recipe import ARCHITECTURES, DISTRIBUTION, NEVER, PYTHONS
from ._tools import interpreter, pip

PINS = Path(__file__).parent / "pins.txt"

_comment = re.compile(r"(^|\s)#.*")  # as pip has it
_HEAD = (
    "# What layers are made of, as pip reads it.  Renewed by: sagemaker-runtime layer --renew\n\n"
)


def pins(text: str, without: Iterable[str] = ()) -> str:
    """
    Return the pins of a file, each in one line.

    Args:
        text: What the file holds.
        without: Projects to leave out.

    Raises:
        ConfigError: A line is no pin, or pins what is no wheel and would be built here.
    """
    requirements = _packaging("requirements")
    lines = [_comment.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]
    return "".join(
        [f"{line}\n" for line in lines if line and _pinned(requirements, line) not in without]
    )


def _pinned(requirements: Any, line: str) -> str:
    """Return the project that a line pins."""
    try:
        requirement = requirements.Requirement(line.partition(" --")[0])
    except requirements.InvalidRequirement:
        raise ConfigError(
            f"a line of the pins is not like name==1.0 --hash=sha256:...: {line}"
        ) from None
    if requirement.url is not None:
        url = urlsplit(str(requirement.url))
        if url.scheme not in {"file", "http", "https"} or not url.path.endswith(".whl"):
            raise ConfigError(
                f"the pin of {requirement.name} must be a wheel, for nothing is built here: {line}"
            )
    return _project(requirement.name)


def _packaging(module: str) -> Any:
    """Return a module of packaging: what is installed, or what pip has, which layers need anyway."""
    for package in ("packaging", "pip._vendor.packaging"):
        try:
            return import_module(f"{package}.{module}")
        except ImportError:
            continue
    raise ConfigError("layers are built with pip, and this Python has none: python -m ensurepip")


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
    with replacing(file) as written:
        written.write((_HEAD + _written(found)).encode())


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
    """Return the name of a pin of ours, as registries compare it."""
    name: str = _packaging("utils").canonicalize_name(pin.partition("==")[0])
    return name
