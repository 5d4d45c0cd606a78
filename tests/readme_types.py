"""
Check the types of README.md's Python blocks, as users would write them: without annotations.

Run by `make types`, with the newest dependencies: it is their annotations that are checked as well.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
UNTYPED = ("--allow-untyped-defs", "--allow-untyped-calls", "--check-untyped-defs")


def main() -> int:
    """Return mypy's exit code."""
    with TemporaryDirectory() as folder:
        for number, code in enumerate(BLOCK.findall((ROOT / "README.md").read_text())):
            (Path(folder) / f"readme_{number}.py").write_text(code)
        files = sorted(Path(folder).iterdir())
        assert files
        return subprocess.call([sys.executable, "-m", "mypy", *UNTYPED, *files], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
