"""Draws the component diagram in `runtime_client/README.md`: `python tests/components.py`.

The diagram is computed from the imports.  A component is a folder or a file directly in the client
package, or the signer.  Its level is one above the highest level of the components that it imports,
or 0 if it imports none.
"""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from textwrap import fill

import grimp

ROOT = Path(__file__).parent.parent
CLIENT, SIGNER = "sagemaker_runtime_client", "sigv4"
FOLDERS = {CLIENT: ROOT / "runtime_client" / CLIENT, SIGNER: ROOT / SIGNER}
README = ROOT / "runtime_client" / "README.md"
_FRAME = re.compile(r"^```text\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def imports() -> grimp.ImportGraph:
    """Return the import graph of both packages, including imports for type checking only."""
    sys.path[:0] = [str(folder.parent) for folder in FOLDERS.values()]
    try:
        return grimp.build_graph(SIGNER, CLIENT, cache_dir=None)
    finally:
        del sys.path[: len(FOLDERS)]


def imports_by_component() -> dict[str, set[str]]:
    """Return, for each component, the other components that it imports."""
    graph = imports()
    components = {*graph.find_children(CLIENT), SIGNER}
    for component in components:
        graph.squash_module(component)
    return {
        _name(component): {
            _name(other)
            for other in graph.find_modules_directly_imported_by(component)
            & components - {component}
        }
        for component in components
    }


def levels(imported: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the level of each component, computed from the components that each one imports."""

    @cache
    def level(component: str) -> int:
        return 1 + max(map(level, imported[component]), default=-1)

    return {component: level(component) for component in imported}


def diagram() -> str:
    """Return the diagram: each component with its description and imports, from the top level down."""
    found = imports_by_component()
    level = levels(found)
    order = sorted(level, key=lambda component: (-level[component], component))
    entries = []
    for component in order:
        below = (
            ", ".join(other for other in order if other in found[component]) or "no other component"
        )
        lines = (
            f"{level[component]}  {component:15} {_first_sentence(component)}",
            f"{'':18} imports {below}",
        )
        entries += [fill(line, 100, subsequent_indent=" " * 19) for line in lines]
    return "\n".join(entries)


def _name(module: str) -> str:
    """Return a component's name without the name of the client package."""
    return module.removeprefix(f"{CLIENT}.")


def _first_sentence(component: str) -> str:
    """Return the first sentence of a component's docstring, without its period."""
    path = FOLDERS[SIGNER] if component == SIGNER else FOLDERS[CLIENT] / component
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).partition(".  ")[0].rstrip(".")


def drawn() -> str:
    """Return the diagram that is currently in the README."""
    (found,) = _FRAME.findall(README.read_text())
    return found


if __name__ == "__main__":
    README.write_text(README.read_text().replace(drawn(), diagram()))
