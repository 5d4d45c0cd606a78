"""Every block of README.md runs, against the emulator."""

import os
import re
import signal
import subprocess
import sys
from inspect import signature
from math import inf
from pathlib import Path
from threading import Event

import pytest

from sagemaker_runtime_client.emulator import Emulator, ModelRequest
from sagemaker_runtime_client.emulator._environment import IN_THE_WAY

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]
MAKE = [line for line in SHELL if line.startswith("make ")]
COMMANDS = [line for line in SHELL if not line.startswith(("make ", "pip "))]


def _model(request: ModelRequest) -> tuple[bytes, str]:
    if request.body.startswith(b"fail"):
        raise ValueError("as you wish")
    return request.body, "text/csv"


@pytest.fixture(scope="module")
def environ():
    """Return the variables that lead to an emulator."""
    with Emulator(model=_model) as emulator:
        kept = {name: value for name, value in os.environ.items() if name not in IN_THE_WAY}
        yield {**kept, **emulator.environ}


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_each_python_block_runs(code, environ, tmp_path):
    """A block is a program of its own, and ends well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (0, "") == (done.returncode, done.stderr)


MANY = next(code for code in PYTHON if "jobs.jsonl" in code)


def _started(code, environ, folder):
    """Start a block in a folder, its output to be read."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_many_at_once_loses_nothing_to_a_bad_row(environ, tmp_path):
    """The other rows have their answers, the bad one its error, and each job a handle on disk."""
    with _started(MANY, environ, tmp_path) as process:
        printed, _ = process.communicate(timeout=60)
    assert 0 == process.returncode
    for row in ("5.1,3.5,1.4,0.2", "6.2,3.4,5.4,2.3"):
        assert f"'{row}': '{row}'" in printed
    assert "as you wish" in printed
    assert 3 == len((tmp_path / "jobs.jsonl").read_text().splitlines())


def test_many_at_once_loses_nothing_to_an_interrupt(tmp_path):
    """After Ctrl-C each job that the service took is on disk or in what is printed, by its id."""
    at_work, goes_on = Event(), Event()

    def model(request):
        at_work.set()
        goes_on.wait(60)
        return request.body, "text/csv"

    with Emulator(model=model) as emulator:
        kept = {name: value for name, value in os.environ.items() if name not in IN_THE_WAY}
        with _started(MANY, {**kept, **emulator.environ}, tmp_path) as process:
            assert at_work.wait(60)
            process.send_signal(signal.SIGINT)
            printed, complaint = process.communicate(timeout=60)
        goes_on.set()
        taken = [
            request.header("x-amzn-sagemaker-inference-id")
            for request in emulator.requests
            if request.operation == "InvokeEndpointAsync" and request.status == 202
        ]
    assert "KeyboardInterrupt" in complaint
    known = printed + (tmp_path / "jobs.jsonl").read_text()
    assert taken
    assert [] == [inference_id for inference_id in taken if inference_id not in known]


def test_the_shell_blocks_run_in_order(environ, tmp_path):
    """The command lines do what they say, in the order in which they stand there."""
    (tmp_path / "my_models.py").write_text("def predict(request):\n    return request.body\n")
    program = f"{sys.executable} -m sagemaker_runtime_client"
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])
    for line in COMMANDS:
        command = line.replace("sagemaker-runtime", program).replace("--port 8080", "--port 0")
        command = command.replace("python -m sigv4", f"{sys.executable} -m sigv4")
        stays = "emulate --model" in command
        with subprocess.Popen(
            f"exec {command}" if stays else command,  # a signal is for it, not for its shell
            shell=True,
            env={**environ, "PYTHONPATH": path},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            if stays:
                printed = process.stdout.readline()
                process.send_signal(signal.SIGINT)
                assert -signal.SIGINT == process.wait(timeout=60)
                assert printed.startswith("unset AWS_PROFILE ")
            else:
                _, complaint = process.communicate(timeout=60)
                assert 0 == process.returncode, (line, complaint)


@pytest.mark.parametrize("line", MAKE)
def test_each_make_target_exists(line):
    """The README names no target that the Makefile has not."""
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_table_of_arguments_is_the_code():
    """Each member of the operation is a row, in order: AWS's name, the argument's, and its place."""
    from sagemaker_runtime_client._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC

    table = README.partition("\n## `invoke_endpoint_async`\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`) \| (`\w+`) \| (\S+) \|", table, re.MULTILINE)
    assert rows == [
        (f"`{member.name}`", f"`{member.argument}`", f"`{place}`" if "-" in place else place)
        for member in INVOKE_ENDPOINT_ASYNC.members.values()
        for place in [member.place]
    ]


def test_the_table_of_settings_is_the_code():
    """Each argument of a client, each variable and each key of the profile stands in the table."""
    from sagemaker_runtime_client import SageMakerRuntimeClient
    from sagemaker_runtime_client._settings.config import SETTINGS

    table = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
    named = list(signature(SageMakerRuntimeClient).parameters)
    for setting in SETTINGS.values():
        for variable in (*setting.variables, *setting.last):
            short = variable.removeprefix("AWS_ENDPOINT_URL")
            named.append(short if f"`{short}`" in table else variable)
        named += [key.rpartition(".")[2] for key in setting.keys]
    assert [] == [name for name in named if f"`{name}`" not in table]


def test_each_argument_of_a_client_has_its_row():
    """A client's argument stands in a row with its variables, its keys of the profile and its default."""
    from sagemaker_runtime_client._settings.arguments import Settings
    from sagemaker_runtime_client._settings.config import SETTINGS

    lines = README.partition("\n## Settings\n")[2].partition("\n## ")[0].splitlines()
    rows = [line.split("|")[1:-1] for line in lines if line.startswith("| `")]
    rows = {name: row for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert set(Settings.__optional_keys__) == set(rows)
    for name in SETTINGS.keys() & rows.keys():
        setting, (_, variables, keys, default) = SETTINGS[name], rows[name]
        assert [*setting.variables, *setting.last] == re.findall(r"`(\w+)`", variables), name
        flat = [key for key in setting.keys if "." not in key]
        assert "likewise" in keys or all(f"`{key}`" in keys for key in flat), name
        value = setting.default
        if isinstance(value, str | bool):
            assert default.strip().startswith(f"`{value}`"), name
        elif value is not None:
            assert re.search(rf"\b{'none' if value == inf else f'{value:g}'}\b", default), name


def test_the_table_of_errors_is_the_code():
    """Each public error stands in the table."""
    import sagemaker_runtime_client as package

    errors = [name for name in package.__all__ if name.endswith("Error")]
    missing = [name for name in errors if f"| `{name}` |" not in README]
    assert ["RuntimeClientError"] == missing
    assert "All errors derive from `RuntimeClientError`" in README
