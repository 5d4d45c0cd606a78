"""
Suites of other projects, which stay outside this repository: SUITES names their folder.

    SUITES=DIR python -m pytest tests/conformance

Without it nothing here is collected.
"""

import os

collect_ignore_glob = [] if "SUITES" in os.environ else ["*"]
