"""Check the types of the READMEs' Python blocks, as users would write them: without annotations.

Run by `make types`, with the newest dependencies, whose annotations are checked as well.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.readmes import ROOT, all_blocks

UNTYPED = (
    "--allow-untyped-defs",
    "--allow-untyped-calls",
    "--check-untyped-defs",
    "--disable-error-code=import-untyped",  # boto3 has no types
)


def main() -> int:
    """Return mypy's exit code."""
    with TemporaryDirectory() as folder:
        for number, (name, code) in enumerate(all_blocks("python")):
            # The name in a comment says which block an error is in.
            (Path(folder) / f"readme_{number}.py").write_text(f"{code}# {name}\n")
        files = sorted(Path(folder).iterdir())
        assert files
        return subprocess.call([sys.executable, "-m", "mypy", *UNTYPED, *files], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
