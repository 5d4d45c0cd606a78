"""Check the types in the READMEs' Python blocks, which contain no annotations.

`make types` runs this script with the newest dependencies, so that the blocks are also checked
against the current annotations of the dependencies.
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
    "--disable-error-code=import-untyped",  # boto3 has no annotations
)


def main() -> int:
    """Check the blocks with mypy, and return its exit code."""
    with TemporaryDirectory() as folder:
        for number, (name, code) in enumerate(all_blocks("python")):
            # The comment at the end of the file states from which block the code comes.
            (Path(folder) / f"readme_{number}.py").write_text(f"{code}# {name}\n")
        files = sorted(Path(folder).iterdir())
        assert files
        return subprocess.call([sys.executable, "-m", "mypy", *UNTYPED, *files], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
