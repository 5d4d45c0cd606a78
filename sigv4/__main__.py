"""Runs the command-line tool when the package is executed as ``python -m sigv4``."""

import sys

from ._cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
