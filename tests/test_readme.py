"""Test that the Python and shell code in each README works with the emulator."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from threading import Event

import pytest

from sagemaker_runtime_client.emulator import Emulator, ModelRequest
from sagemaker_runtime_client.emulator._environment import CONFLICTING_VARIABLES
from tests.readmes import CLIENT_README, READMES, ROOT, all_blocks, blocks, name, shell_lines

PYTHON_PATH = os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])
PYTHON = dict(all_blocks("python"))
COMMANDS = [path for path in READMES if shell_lines(path)]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def _model(request: ModelRequest) -> tuple[bytes, str]:
    if request.body.startswith(b"fail"):
        raise ValueError("as you wish")
    return request.body, "text/csv"


def _environ(emulator):
    """Return environment variables that make a program use *emulator* and this checkout's packages."""
    kept = {name: value for name, value in os.environ.items() if name not in CONFLICTING_VARIABLES}
    return {**kept, **emulator.environ, "PYTHONPATH": PYTHON_PATH}


@pytest.fixture(scope="module")
def environ():
    """The environment variables with which a program uses an emulator."""
    with Emulator(model=_model) as emulator:
        yield _environ(emulator)


def _arguments(code, folder):
    """Return the arguments with which Python runs a block, or with which pytest runs a test module."""
    if not code.startswith("# test_"):
        return ["-c", code]
    (folder / "test_block.py").write_text(code)
    return ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_block.py"]


@pytest.mark.parametrize("block", PYTHON)
def test_each_python_block_runs(block, environ, tmp_path):
    """Each Python block is a complete program that succeeds without warnings."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *_arguments(PYTHON[block], tmp_path)],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize("path", READMES, ids=name)
def test_each_block_has_a_language(path):
    """Each code block begins at the margin, and its language is python, sh or text."""
    fences = re.findall(r"^[ \t]*```.*$", path.read_text(), re.MULTILINE)
    assert set(fences[::2]) <= {"```python", "```sh", "```text"}
    assert set(fences[1::2]) <= {"```"}


MANY = next(code for code in PYTHON.values() if "jobs.jsonl" in code)


def _start(code, environ, folder):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_many_at_once_loses_nothing_to_a_bad_row(environ, tmp_path):
    """If one job of the README's program "many at once" fails, the others have outputs.

    All three handles are on disk.
    """
    with _start(MANY, environ, tmp_path) as process:
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    for row in ("5.1,3.5,1.4,0.2", "6.2,3.4,5.4,2.3"):
        assert f"'{row}': '{row}'" in printed
    assert "as you wish" in printed
    assert len((tmp_path / "jobs.jsonl").read_text().splitlines()) == 3


def test_many_at_once_loses_nothing_to_an_interrupt(tmp_path):
    """If Ctrl-C stops the README's program "many at once", no ID of an accepted job is lost.

    Each of these IDs is on disk or in the output of the program.
    """
    at_work, goes_on = Event(), Event()

    def model(request):
        at_work.set()
        goes_on.wait(60)
        return request.body, "text/csv"

    with Emulator(model=model) as emulator:
        with _start(MANY, _environ(emulator), tmp_path) as process:
            assert at_work.wait(60)
            process.send_signal(signal.SIGINT)
            printed, traceback = process.communicate(timeout=60)
        goes_on.set()
        accepted = [
            request.header("x-amzn-sagemaker-inference-id")
            for request in emulator.requests
            if request.operation == "InvokeEndpointAsync" and request.status == 202
        ]
    assert "KeyboardInterrupt" in traceback
    known = printed + (tmp_path / "jobs.jsonl").read_text()
    assert accepted
    assert [inference_id for inference_id in accepted if inference_id not in known] == []


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_the_shell_blocks_run_in_order(path, environ, tmp_path):
    """Each command in a document succeeds if the document's commands are run in order.

    The make and pip commands are not run: the test checks only that their targets or extras exist.
    """
    (tmp_path / "my_models.py").write_text("def predict(request):\n    return request.body\n")
    for line in shell_lines(path):
        if line.startswith("make "):
            _check_target(line)
        elif line.startswith("pip "):
            _check_installation(line)
        else:
            _run(line, environ, tmp_path)


def _check_target(line):
    target = line.split()[1]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{target}:.* ## ", makefile, re.MULTILINE), line


def _check_installation(line):
    command, _, _ = line.partition("#")
    package, extras = re.fullmatch(r"pip install '?([\w.-]+)(?:\[(.*)\])?'?\s*", command).groups()
    assert package == "."
    assert set((extras or "").split(",")) - {""} <= set(EXTRAS)


def _run(line, environ, folder):
    command = line.replace("--port 8080", "--port 0")
    for program in ("sagemaker-runtime ", "python -m sigv4 "):
        module = program.split()[-1].replace("sagemaker-runtime", "sagemaker_runtime_client")
        command = command.replace(program, f"{sys.executable} -m {module} ")
    command = re.sub("sagemaker-runtime$", f"{sys.executable} -m sagemaker_runtime_client", command)
    runs_on = "emulate --model" in command
    # Because of `exec`, the command replaces the shell, and receives the signal itself.
    with subprocess.Popen(
        f"exec {command}" if runs_on else command,
        shell=True,
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if runs_on:
            printed = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == -signal.SIGINT
            assert printed.startswith("unset AWS_PROFILE ")
        else:
            _, complaint = process.communicate(timeout=120)
            assert process.returncode == 0, (line, complaint)


def test_the_extras_in_the_text_exist():
    """Each extra that a README installs with `pip install '.[extra]'` exists in pyproject.toml."""
    texts = "".join(path.read_text() for path in READMES)
    named = re.findall(r"pip install '\.\[([\w,]+)\]'", texts)
    assert named
    assert set(",".join(named).split(",")) <= set(EXTRAS)


def test_the_shell_blocks_name_the_console_script():
    """The command that the READMEs run is the console script that the distribution installs."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert "sagemaker-runtime" in scripts
    assert any("sagemaker-runtime credentials" in code for code in blocks(CLIENT_README, "sh"))
