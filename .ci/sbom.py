"""A build hook that adds a software bill of materials to the wheel and the sdist (PEP 770, CycloneDX 1.7).

No package is bundled.  Therefore the bill lists the distribution itself and, as external
components, its requirements with their version ranges, from which pip chooses versions.  It has no
serial number and no timestamp, so the same sources always give the same bytes.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.requirements import Requirement
from packaging.version import Version


class SBOMHook(BuildHookInterface[Any]):
    """Adds the bill of materials to the files of a wheel or an sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the bill of materials, except for an editable installation."""
        self._folder = Path(mkdtemp())
        if version == "editable":
            return
        path = self._folder / f"{self.metadata.core.name}.cdx.json"
        path.write_text(json.dumps(document(self.metadata), indent=2) + "\n")
        if self.target_name == "wheel":
            build_data["sbom_files"].append(str(path))  # hatchling copies it to .dist-info/sboms
        else:
            build_data["force_include"][str(path)] = path.name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder)


def document(metadata: Any) -> dict[str, Any]:
    """Return a project's bill of materials, made from the metadata in pyproject.toml."""
    core = metadata.core
    itself = f"pkg:pypi/{core.name}@{metadata.version}"
    extras = (
        one for extra in core.optional_dependencies_complex.values() for one in extra.values()
    )
    external = [
        *_external(core.dependencies_complex.values(), "required"),
        *_external(extras, "optional"),
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": itself,
                "name": core.name,
                "version": metadata.version,
                "description": core.description,
                "licenses": [{"expression": core.license_expression}],
                "purl": itself,
            }
        },
        "components": external,
        "dependencies": [{"ref": itself, "dependsOn": [one["bom-ref"] for one in external]}],
        "compositions": [{"aggregate": "complete", "assemblies": [itself]}],
    }


def _external(requirements: Iterable[Requirement], scope: str) -> list[dict[str, Any]]:
    """Return requirements as external components, which the environment provides."""
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{requirement.name}",
            "name": requirement.name,
            "versionRange": _range(requirement),
            "isExternal": True,
            "scope": scope,
            "purl": f"pkg:pypi/{requirement.name}",
        }
        for requirement in sorted(requirements, key=lambda one: one.name)
    ]


def _range(requirement: Requirement) -> str:
    """Return the accepted versions in the syntax of https://github.com/package-url/vers-spec."""
    bounds = sorted(requirement.specifier, key=lambda bound: Version(bound.version))
    return "vers:pypi/" + "|".join(f"{one.operator}{one.version}" for one in bounds)
