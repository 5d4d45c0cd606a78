"""The same function as in `snapstart`, but without snapshot hooks.

Until the snapshot, the wall clock is an hour slow, so the client can recognize only by the clock
that the process was restored.
"""

import sys
import time
from importlib import import_module

import snapshot_restore_py

right_time, behind = time.time, [3600]
time.time = lambda: right_time() - sum(behind)
# After the snapshot, the clock is correct again.
snapshot_restore_py.register_before_snapshot(behind.clear)

sys.modules["snapshot_restore_py"] = None
import_module("sagemaker_runtime_client._io.generation")  # the import finds no snapshot hooks
sys.modules["snapshot_restore_py"] = snapshot_restore_py

handler = import_module("snapstart").handler
