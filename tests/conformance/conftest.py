"""Test suites of other projects, which are not part of this repository; SUITES names their folder.

    SUITES=DIR python -m pytest tests/conformance

Without the variable SUITES, these tests are not collected.
"""

import os

collect_ignore_glob = [] if "SUITES" in os.environ else ["*"]
