"""Reads and writes pins, which are the names, versions and hashes of the wheels in layers."""

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

_comment = re.compile(r"(^|\s)#.*")  # pip's pattern for comments
_HEAD = "# The wheels in layers, for pip.  To update: sagemaker-runtime layer --renew\n\n"


def select_pins(text: str, without: Iterable[str] = ()) -> str:
    """Return the pins in the text of a pins file, one per line.

    Args:
        text: The content of the pins file.
        without: The names of the projects whose pins are left out.

    Raises:
        ConfigError: A line is not a pin, pip would have to build the project from source because
            the URL in the pin is not the URL of a wheel, or neither packaging nor pip is installed.
    """
    requirements = _packaging("requirements")
    lines = [_comment.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]
    return "".join(
        [f"{line}\n" for line in lines if line and _pinned(requirements, line) not in without]
    )


def _pinned(requirements: Any, line: str) -> str:
    """Return the name of the project that a line pins; raise ConfigError for a malformed line."""
    try:
        requirement = requirements.Requirement(line.partition(" --")[0])
    except requirements.InvalidRequirement:
        raise ConfigError(
            f"pins must have the form name==1.0 --hash=sha256:..., not: {line}"
        ) from None
    if requirement.url is not None:
        url = urlsplit(str(requirement.url))
        if url.scheme not in {"file", "http", "https"} or not url.path.endswith(".whl"):
            raise ConfigError(
                f"the pin of {requirement.name} must be the URL of a wheel, because nothing is built "
                f"from source: {line}"
            )
    return _project(requirement.name)


def _packaging(module: str) -> Any:
    """Import a module from packaging or, if that is missing, from the copy of packaging in pip."""
    for package in ("packaging", "pip._vendor.packaging"):
        try:
            return import_module(f"{package}.{module}")
        except ImportError:
            continue
    raise ConfigError(
        "building layers requires pip, which this Python lacks: run python -m ensurepip"
    )


def renew(file: Path = PINS, needed: Iterable[str] | None = None) -> None:
    """Resolve the requirements for every Python version and architecture, and write the pins.

    Args:
        file: The pins file; by default the one in this package.
        needed: The requirements; by default those of this distribution.

    Raises:
        ConfigError: A Python version is not installed, pip failed, or pip selected different
            versions of a project for different Python versions or architectures.
    """
    if needed is None:
        needed = [line for line in requires(DISTRIBUTION) or () if "extra ==" not in line]
    found: dict[str, set[str]] = {}
    for python in PYTHONS:
        for platform in ARCHITECTURES.values():
            for pin, digest in _resolve(python, platform, needed).items():
                found.setdefault(pin, set()).add(digest)
    projects = [_project(pin) for pin in found]
    if conflicting := {project for project in projects if projects.count(project) > 1}:
        raise ConfigError(
            "no single version supports all Pythons and architectures: "
            f"{', '.join(sorted(conflicting))}"
        )
    with replacing(file) as written:
        written.write((_HEAD + _format_pins(found)).encode())


def _resolve(python: str, platform: str, needed: Iterable[str]) -> dict[str, str]:
    """Map the pin of each wheel that pip would install, unless `NEVER` contains it, to its hash."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ("--dry-run", "--ignore-installed", "--report", report, "--target", folder)
        pip(interpreter(python), "install", *options, *pip_platform_options(platform), *needed)
        installed = json.loads(report.read_text())["install"]
    pinned: dict[str, str] = {}
    for distribution in installed:
        metadata = distribution["metadata"]
        if _project(metadata["name"]) not in NEVER:
            digest = distribution["download_info"]["archive_info"]["hashes"]["sha256"]
            pinned[f"{metadata['name']}=={metadata['version']}"] = digest
    return pinned


def pip_platform_options(platform: str) -> tuple[str, ...]:
    """Return the options with which pip uses only wheels for *platform* and compiles nothing."""
    return ("--only-binary=:all:", "--platform", platform, "--no-compile")


def _format_pins(found: Mapping[str, set[str]]) -> str:
    """Return the pins in the format of a pip requirements file."""
    return "".join(
        " \\\n    ".join([pin, *[f"--hash=sha256:{digest}" for digest in sorted(found[pin])]])
        + "\n"
        for pin in sorted(found, key=_project)
    )


def _project(pin: str) -> str:
    """Return the normalized project name in a pin."""
    name: str = _packaging("utils").canonicalize_name(pin.partition("==")[0])
    return name
