"""Compiles a folder with the Python that runs this program: ``python _bytecode.py ROOT PREFIX``.

This is a separate program, because the interpreter that compiles a layer may be unable to import
this distribution.  The bytecode contains assertions but no docstrings, which would make up a sixth
of the zipped bytecode.  compileall can omit docstrings only together with assertions.
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
    """Compile all source files below a folder.

    Args:
        root: The folder.
        prefix: The folder that will contain *root* at run time.  Tracebacks show paths below this
            folder.
    """
    for path in sorted(root.rglob("*.py")):
        target = Path(cache_from_source(str(path)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(bytecode(path.read_bytes(), f"{prefix}/{path.relative_to(root.parent)}"))


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
