"""Test the demo, which runs as a separate process."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_demo(tmp_path):
    """The demo works in any working directory, prints the duration of each part, and checks all
    outputs.
    """
    sources = os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "tests" / "demo")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    begin, *parts, end = done.stdout.splitlines()
    assert re.fullmatch(r"emulator at http://127\.0\.0\.1:\d+ checks every signature", begin)
    timed = [re.fullmatch(r"(.+?) +\d+ ms   (.+)", part).groups() for part in parts]
    assert [name for name, _ in timed] == [
        "1 image, inline",
        "900 images, through S3",
        "invalid input",
        "200 images, 16 at a time",
        "20 images, told by SQS",
    ]
    remarks = dict(timed)
    assert "1 of 1 digits right" in remarks["1 image, inline"]
    assert "failed as expected: Received server error (500)" in remarks["invalid input"]
    for name in ("900 images, through S3", "200 images, 16 at a time"):
        assert re.search(r"[1-9]\d\d of \d+ digits right, as with scikit-learn", remarks[name])
    assert re.fullmatch(
        r"\d+ of 20 digits right, as with scikit-learn; 1 failure told; 42 redeliveries ignored",
        remarks["20 images, told by SQS"],
    )
    assert re.fullmatch(r"\d{3} signed requests, none refused, [\d.]+ s in total", end)
