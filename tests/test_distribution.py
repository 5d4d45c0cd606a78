"""Test the wheel and the sdist: reproducible bytes, contents, and the bill of materials."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import tomllib
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import certifi
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

from sagemaker_runtime_client import __version__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = PROJECT["name"].replace("-", "_")
# Generated files in a checkout, some of which may be written while this test runs.
GENERATED = shutil.ignore_patterns(
    *(".venv*", ".git", ".*_cache", ".hypothesis", ".coverage*", "dist", "*.pyc.*")
)


def build(source, target, umask, *kinds):
    """Build the wheel, the sdist or both, and return their bytes, keyed by file suffix.

    The build backend is called directly, so no network access is needed.
    """
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", target, *kinds],
        cwd=source,
        env=environ,
        umask=umask,
        capture_output=True,
        check=True,
    )
    return {path.suffix: path.read_bytes() for path in target.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the sdist of this checkout."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder, 0o022)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    """The wheel, opened for reading."""
    with ZipFile(next(built.glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(built):
    """The sdist, opened for reading."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def bom(wheel):
    """The bill of materials in the wheel."""
    return json.loads(
        wheel.read(f"{NAME}-{__version__}.dist-info/sboms/{PROJECT['name']}.cdx.json")
    )


def test_authorities_that_were_removed():
    """The certifi requirement excludes versions that trust Entrust and AffirmTrust.

    The installed version trusts none of five authorities that Mozilla has removed.
    """
    (bound,) = [one for one in map(Requirement, PROJECT["dependencies"]) if one.name == "certifi"]
    # This is the last certifi version with the authorities Entrust and AffirmTrust.
    assert not bound.specifier.contains("2025.11.12")
    context = ssl.create_default_context(cadata=certifi.contents())
    trusted = [repr(one["subject"]).casefold() for one in context.get_ca_certs()]
    removed = ("'trustcor", "'e-tugra", "'globaltrust", "'entrust", "'affirmtrust")
    assert [name for name in trusted if any(one in name for one in removed)] == []
    assert len(trusted) > 100


def test_the_same_bytes(built, tmp_path):
    """A copy of the checkout, with other timestamps and file modes, builds to the same bytes."""
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=GENERATED, copy_function=shutil.copy)
    for path in copy.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    again = build(copy, tmp_path / "again", 0o077)
    assert again == {path.suffix: path.read_bytes() for path in built.iterdir()}


def test_the_sdist_builds_the_wheel(built, sdist, tmp_path):
    """The wheel built from the unpacked sdist is the same as the wheel built from the checkout."""
    sdist.extractall(tmp_path, filter="data")
    again = build(
        tmp_path / f"{NAME}-{__version__}", tmp_path / "wheel", 0o022, "--target", "wheel"
    )
    assert again[".whl"] == next(built.glob("*.whl")).read_bytes()


def test_what_the_wheel_holds(wheel):
    """The wheel contains the two packages and their metadata, and no other files."""
    roots = {"sigv4": ROOT, "sagemaker_runtime_client": ROOT / "runtime_client"}
    sources = {
        path.relative_to(root).as_posix()
        for package, root in roots.items()
        for path in (root / package).rglob("*")
        if path.suffix in {".py", ".txt", ".typed"}
    }
    info = f"{NAME}-{__version__}.dist-info"
    described = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    described |= {f"sboms/{PROJECT['name']}.cdx.json"}
    assert set(wheel.namelist()) == sources | {f"{info}/{name}" for name in described}


def test_the_description(wheel):
    """The description for package indexes is README.md, with links that lead to the repository."""
    metadata = wheel.read(f"{NAME}-{__version__}.dist-info/METADATA").decode()
    description = metadata.partition("\n\n")[2]
    title, _, _ = (ROOT / "README.md").read_text().partition("\n")
    assert description.startswith(f"{title}\n")
    assert f"({PROJECT['urls']['Source']}/blob/main/sigv4/README.md)" in description
    assert "](sigv4" not in description


def test_what_the_sdist_holds(sdist):
    """At its root, the sdist has exactly the expected files; it has no ``__pycache__`` folder."""
    paths = [Path(name).relative_to(f"{NAME}-{__version__}") for name in sdist.getnames()]
    assert {path.parts[0] for path in paths} == {
        *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md"),
        *("fixtures", "pyproject.toml", "runtime_client", "sigv4", "tests"),
        f"{PROJECT['name']}.cdx.json",
    }
    assert [path for path in paths if "__pycache__" in path.parts] == []


def test_the_bill_of_materials_is_valid(bom):
    """The bill of materials is valid according to CycloneDX's schema."""
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(bom)) is None


def test_the_bill_of_materials_is_in_both(sdist, bom):
    """The sdist contains the same bill of materials as the wheel."""
    name = f"{NAME}-{__version__}/{PROJECT['name']}.cdx.json"
    assert json.load(sdist.extractfile(name)) == bom


def test_the_bill_of_materials_is_complete(bom):
    """The bill of materials lists the distribution, and each requirement with its version range."""
    itself = PackageURL.from_string(bom["metadata"]["component"]["purl"])
    assert (itself.name, itself.version) == (PROJECT["name"], __version__)
    declared = {
        "required": PROJECT["dependencies"],
        "optional": chain(*PROJECT["optional-dependencies"].values()),
    }
    assert [
        (scope, one.name, f"vers:pypi/{one.specifier}")
        for scope, texts in declared.items()
        for one in map(Requirement, sorted(texts))
    ] == [
        (one["scope"], PackageURL.from_string(one["purl"]).name, one["versionRange"])
        for one in bom["components"]
    ]
