"""Tests against the test data of other projects, which is not part of this repository.

    SUITES=DIR python -m pytest tests/conformance

The environment variable SUITES contains the path of the folder with the test data.  If it is not
set, these tests are not collected.
"""

import os

collect_ignore_glob = [] if "SUITES" in os.environ else ["*"]
