"""Compiles a folder with the Python that runs this program: ``python _bytecode.py ROOT PREFIX``.

This is a separate program, because the interpreter that compiles a layer may be unable to import
this distribution.  The bytecode contains assertions but no docstrings, which would make up a sixth
of the zipped bytecode.  compileall can omit docstrings only together with assertions.  In the
sources, which tracebacks show, docstrings become blank lines.
"""

import ast
import marshal
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# The flags of a .pyc file (PEP 552) that contains a hash of its source file, but is never checked
# against the source file.
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def compile_folder(root: Path, prefix: str) -> None:
    """Remove the docstrings from all source files below a folder, and compile the files.

    Args:
        root: The folder.
        prefix: The folder that will contain *root* at run time.  Tracebacks show paths below this
            folder.
    """
    for path in sorted(root.rglob("*.py")):
        source = blank_docstrings(path.read_bytes())
        path.write_bytes(source)
        target = Path(cache_from_source(str(path)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(bytecode(source, f"{prefix}/{path.relative_to(root.parent)}"))


def blank_docstrings(source: bytes) -> bytes:
    """Replace the text of each docstring with its line breaks, so that no line number changes."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
            before, after = lines[first][: text.col_offset], lines[last][text.end_col_offset :]
            blank = before + b'"""' + b"\n" * (last - first) + b'"""' + after
            lines[first : last + 1] = blank.splitlines(keepends=True)
    return b"".join(lines)


def bytecode(source: bytes, name: str) -> bytes:
    """Return the content of the .pyc file for *source*; tracebacks show *name* as its path."""
    code = compile(without_docstrings(ast.parse(source, name)), name, "exec", dont_inherit=True)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove all docstrings from the syntax tree of a module, and return the tree."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body.pop(0)
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.copy_location(ast.Pass(), first))
    return tree


if __name__ == "__main__":
    compile_folder(Path(sys.argv[1]), sys.argv[2])
