"""The command-line program, run as `python -m sagemaker_runtime_client`."""

import sys

from ._cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
