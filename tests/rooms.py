"""
The picture of the rooms in `runtime_client/README.md`: `python tests/rooms.py` draws it anew, from the imports.

A room is what lies at the root of the client package: a folder, or a file.  Its floor is one above the
highest floor that it imports from.
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
    """Return which module of ours imports which, for its types alone included."""
    sys.path[:0] = [str(folder.parent) for folder in FOLDERS.values()]
    try:
        return grimp.build_graph(SIGNER, CLIENT, cache_dir=None)
    finally:
        del sys.path[: len(FOLDERS)]


def arrows() -> dict[str, set[str]]:
    """Return which room imports which."""
    graph = imports()
    rooms = {*graph.find_children(CLIENT), SIGNER}
    for room in rooms:
        graph.squash_module(room)
    return {
        _name(room): {
            _name(other) for other in graph.find_modules_directly_imported_by(room) & rooms - {room}
        }
        for room in rooms
    }


def floors(arrows: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the floor of each room."""

    @cache
    def floor(room: str) -> int:
        return 1 + max(map(floor, arrows[room]), default=-1)

    return {room: floor(room) for room in arrows}


def picture() -> str:
    """Return each room, from the top floor down: what it is, and what it imports."""
    found = arrows()
    floor = floors(found)
    order = sorted(floor, key=lambda room: (-floor[room], room))
    entries = []
    for room in order:
        below = ", ".join(other for other in order if other in found[room]) or "nothing of ours"
        lines = (f"{floor[room]}  {room:15} {_first_sentence(room)}", f"{'':18} imports {below}")
        entries += [fill(line, 100, subsequent_indent=" " * 19) for line in lines]
    return "\n".join(entries)


def _name(module: str) -> str:
    """Return what a room is called."""
    return module.removeprefix(f"{CLIENT}.")


def _first_sentence(room: str) -> str:
    """Return what a room says of itself."""
    path = FOLDERS[SIGNER] if room == SIGNER else FOLDERS[CLIENT] / room
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).partition(".  ")[0].rstrip(".")


def drawn() -> str:
    """Return the picture in the README."""
    (found,) = _FRAME.findall(README.read_text())
    return found


if __name__ == "__main__":
    README.write_text(README.read_text().replace(drawn(), picture()))
