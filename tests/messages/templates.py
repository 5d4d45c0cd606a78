"""Find messages in the code's syntax trees: errors, warnings, log records and help texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CODE = ("sigv4", "runtime_client/sagemaker_runtime_client")

# Functions and methods that have a message as an argument, in addition to the constructors of
# errors and warnings.
_FUNCTIONS = frozenset(
    {"fail", "failure", "shortage", "warn", "warning", "info", "debug", "error"}
    | {"incomplete_body", "malformed_trailer", "ModelFailure", "rejection", "validation_error"}
    | {"add_note", "invalid_argument", "invalid_request", "malformed"}
)
_KEYWORDS = frozenset({"help", "description", "epilog", "message", "rule"})


class Template(NamedTuple):
    """A message in the code, split at the placeholders for inserted values."""

    file: str
    line: int
    parts: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern that matches the message with any inserted values."""
        return re.compile(".*".join(map(re.escape, self.parts)), re.DOTALL)

    def __str__(self) -> str:
        """Return the location and the text of the message."""
        return f"{self.file}:{self.line}: {'{}'.join(self.parts)}"


def templates(name: str) -> Iterator[Template]:
    """Yield each message in a file or folder, whose path in the repository is *name*."""
    path = ROOT / name
    for file in sorted(path.rglob("*.py") if path.is_dir() else [path]):
        for node in ast.walk(ast.parse(file.read_text())):
            for text in _texts(node):
                parts = _parts(text)
                if sum(len(part.split()) for part in parts) > 2:
                    yield Template(str(file.relative_to(ROOT)), text.lineno, parts)


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    """If *node* is a call with messages as arguments, yield these arguments."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    has_message = name.lstrip("_") in _FUNCTIONS or name.endswith(("Error", "Warning"))
    for argument in node.args if has_message else ():
        yield from _strings(argument)
    for keyword in node.keywords:
        if keyword.arg in _KEYWORDS:
            yield from _strings(keyword.value)


def _strings(node: ast.expr) -> Iterator[ast.expr]:
    """Yield *node* if it is a string, or each string in it if it is a conditional or a sum."""
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
    """Return the parts of an f-string or log format that are between the placeholders."""
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
