"""The documents of this repository, and functions with which tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "runtime_client" / "sagemaker_runtime_client"
TOP = ROOT / "README.md"
CLIENT_README = ROOT / "runtime_client" / "README.md"
EMULATOR_README = CLIENT / "emulator" / "README.md"
LAYER_README = CLIENT / "layer" / "README.md"
READMES = sorted(
    [
        TOP,
        *(
            path
            for folder in ("runtime_client", "sigv4", "tests")
            for path in (ROOT / folder).rglob("README.md")
        ),
    ]
)
DOCUMENTS = [*READMES, ROOT / "CHANGELOG.md", ROOT / "fixtures" / "SOURCES.md"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name(path: Path) -> str:
    """Return a document's path relative to the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    """Return a document's code blocks in one language."""
    return [code for found, code in _BLOCK.findall(path.read_text()) if found == language]


def all_blocks(language: str) -> Iterator[tuple[str, str]]:
    """Yield, for each code block in one language in all READMEs, its name and its code."""
    for path in READMES:
        for number, code in enumerate(blocks(path, language)):
            yield f"{name(path)}:{number}", code


def shell_lines(path: Path) -> list[str]:
    """Return the commands in a document's shell blocks, with continuation lines joined."""
    code = "".join(blocks(path, "sh")).replace("\\\n", " ")
    return [line for line in code.splitlines() if line]


def without_code(path: Path) -> str:
    """Return the text of a document without its code blocks."""
    return _BLOCK.sub("", path.read_text())


def section(path: Path, heading: str) -> str:
    """Return the text below a heading, up to the next heading of any level, without code blocks."""
    _, found, rest = without_code(path).partition(f"\n{heading}\n")
    assert found, f"{name(path)} has no heading {heading!r}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table in a text, each as a list of cells, without the header."""
    rows = re.search(r"^\|.*\|\n\|[-:| ]+\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    assert rows, "the section has no table"
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[1].splitlines()]


def words(cell: str) -> list[str]:
    """Return the strings between backticks in a table cell."""
    return re.findall(r"`([^`]+)`", cell)
