"""The messages that the code has: errors, warnings, lines of the log and help texts, found in its syntax."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CODE = ("sigv4", "runtime_client/sagemaker_runtime_client")

# Functions and methods that take a message, besides the constructors of errors and warnings.
_SPEAKERS = frozenset(
    {"fail", "failure", "shortage", "warn", "warning", "info", "debug", "error"}
    | {"incomplete_body", "malformed_trailer", "ModelFailure", "rejection", "validation_error"}
    | {"add_note", "invalid_argument"}
)
_KEYWORDS = frozenset({"help", "description", "epilog", "message", "rule"})


class Template(NamedTuple):
    """A message in the code; each value that is put into it is a gap."""

    file: str
    line: int
    parts: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a message that is made of it looks like."""
        return re.compile(".*".join(map(re.escape, self.parts)), re.DOTALL)

    def __str__(self) -> str:
        """Return place and text."""
        return f"{self.file}:{self.line}: {'{}'.join(self.parts)}"


def templates(room: str) -> Iterator[Template]:
    """Find every message below a folder, or in a file, of the code; *room* is a path in the repository."""
    path = ROOT / room
    for file in sorted(path.rglob("*.py") if path.is_dir() else [path]):
        for node in ast.walk(ast.parse(file.read_text())):
            for text in _texts(node):
                parts = _parts(text)
                if sum(len(part.split()) for part in parts) > 2:
                    yield Template(str(file.relative_to(ROOT)), text.lineno, parts)


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    """Return the arguments of a call that are messages."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    speaks = name.lstrip("_") in _SPEAKERS or name.endswith(("Error", "Warning"))
    for argument in node.args if speaks else ():
        yield from _strings(argument)
    for keyword in node.keywords:
        if keyword.arg in _KEYWORDS:
            yield from _strings(keyword.value)


def _strings(node: ast.expr) -> Iterator[ast.expr]:
    """Return a text, or each of those that a condition chooses from or that are added up."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    ):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _strings(node.left)
        yield from _strings(node.right)


def _parts(text: ast.expr) -> tuple[str, ...]:
    """Return the text between the placeholders of an f-string or of a log format."""
    if isinstance(text, ast.Constant):
        return tuple(re.split(r"%[sdr]|%\.\d+f", text.value))
    assert isinstance(text, ast.JoinedStr)
    parts = [""]
    for value in text.values:
        if isinstance(value, ast.Constant):
            parts[-1] += value.value
        else:
            parts.append("")
    return tuple(parts)
