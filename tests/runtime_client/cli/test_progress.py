"""Tests of the transfer progress that is shown on stderr."""

import os
import sys
from contextlib import suppress

import pytest

from sagemaker_runtime_client._cli.progress import progress

MEBIBYTE = 1 << 20


def test_lines(capsys):
    """If stderr is not a terminal, one line is printed for each tenth of a large transfer."""
    size = 1000 * MEBIBYTE
    with progress("uploading x") as on_progress:
        for done in range(0, size + 1, MEBIBYTE):
            on_progress(done, size)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert (out, len(lines)) == ("", 10)
    assert lines[0] == "uploading x: 67,108,864 of 1,048,576,000 (6 %) bytes"
    assert lines[1] == "uploading x: 171,966,464 of 1,048,576,000 (16 %) bytes"


def test_few_lines(capsys):
    """For a transfer of less than 64 MiB, and for an empty one, no line is printed."""
    with progress("uploading x") as on_progress:
        on_progress(0, 0)
        on_progress(64 * MEBIBYTE - 1, 64 * MEBIBYTE)
    assert capsys.readouterr().err == ""


def test_unknown_size(capsys):
    """If the size is unknown, the lines state only the bytes so far, and become less frequent."""
    with progress("uploading x") as on_progress:
        for done in range(0, 64_000 * MEBIBYTE, MEBIBYTE):
            on_progress(done, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "uploading x: 67,108,864 bytes"
    assert len(lines) < 70


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("is_there", [True, False], ids=["on a terminal", "after a hang-up"])
@pytest.mark.parametrize("has_rich", [True, False], ids=["with rich", "without rich"])
def test_bar(command, monkeypatch, is_there, has_rich, tmp_path):
    """On a terminal with rich, a bar is shown; a transfer continues after the terminal is closed."""
    source = tmp_path / "[x]{0}.csv"
    source.write_bytes(b"1,2")
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("COLUMNS", "200")
    keyboard, screen = os.openpty()
    with open(keyboard, "rb", buffering=0) as shown:  # noqa: PTH123
        with open(screen, "w") as stderr:  # noqa: PTH123
            monkeypatch.setattr(sys, "stderr", stderr)
            if not is_there:
                shown.close()
            assert command("upload", str(source), "s3://b/k")[:2] == (0, b"")
        seen = b""
        with suppress(OSError, ValueError):  # the terminal is closed
            while piece := shown.read(4096):
                seen += piece
    assert (b"uploading " in seen) is (is_there and has_rich)
    assert (b"[x]{0}.csv to s3://b/k: 3 bytes" in seen) is is_there
