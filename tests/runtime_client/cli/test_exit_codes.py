"""Tests of exit codes and signals.

However a command ends, it must show the handle of a queued job.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from threading import Event

import pytest

from sagemaker_runtime_client import Invocation, SageMakerRuntimeClient
from sagemaker_runtime_client._cli.commands import EXIT_CODES
from sagemaker_runtime_client._cli.options import EPILOG
from sagemaker_runtime_client.emulator import Faults
from tests.runtime_client.cli.programs import PROGRAM, SOURCES
from tests.runtime_client.clients import settings


class TestExitCodes:
    """Each failure causes an exit code, a message on stderr and, with --json, a document on stdout."""

    INVOKE = ("invoke", "a", "--input", "-")

    def test_are_documented(self):
        """The help lists exactly the exit codes that the command-line tool can return."""
        documented = {int(code) for code in re.findall(r"^    (\d+) ", EPILOG, re.MULTILINE)}
        signals = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
        assert documented == {0, 141, *signals} | {code for _, code in EXIT_CODES}

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("invoke", "no_endpoint", "--input", "-"), "ENDPOINT must"),
            (("invoke", "a", "--input", "/no/such/file"), "No such file"),
            (("invoke", "a", "--input", "-", "--filename", "a.b.c"), "--filename must"),
            (
                ("invoke", "a", "--input", "-", "--endpoint-url", "nowhere"),
                "the endpoint URL for SageMaker",
            ),
            (("wait", "-"), "stdin is not a handle printed by `sagemaker-runtime invoke`"),
            (("wait", "/no/such/file"), "No such file"),
        ],
        ids=["argument", "input", "option", "setting", "handle", "handle's file"],
    )
    def test_wrong(self, command, emulator, arguments, why):
        """An invalid argument, option, setting or handle causes exit code 2, and nothing is sent."""
        code, out, err = command(*arguments, stdin=b"x")
        assert (code, out) == (2, b"")
        assert err.startswith("sagemaker-runtime: ")
        assert why in err
        assert emulator.requests == ()

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("nothing",),
            ("invoke", "a"),
            ("invoke", "a", "--input", "-", "--input-location", "s3://b/k"),
            ("invoke", "a", "--input", "-", "--request-ttl-seconds", "soon"),
            ("invoke", "a", "--input", "-", "--no-wait", "--output", "out"),
            ("wait",),
            ("emulate", "--port", "many"),
            ("emulate", "--port", "65536"),
            ("emulate", "--part-size", "big"),
            ("emulate", "--destination", "t=e=f"),
        ],
        ids=[
            "none",
            "unknown",
            "no input",
            "two inputs",
            "no number",
            "an output of no wait",
            "no handle",
            "no port",
            "large port",
            "no size",
            "no destination",
        ],
    )
    def test_usage(self, command, capsysbinary, arguments):
        """A malformed command line causes exit code 2, and the usage is shown."""
        with pytest.raises(SystemExit) as caught:
            command(*arguments)
        assert caught.value.code == 2
        assert b"usage: sagemaker-runtime" in capsysbinary.readouterr().err

    def test_no_credentials(self, command, emulator, monkeypatch):
        """Missing credentials cause exit code 3, and nothing is sent."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert code == 3
        assert "no credentials found: set AWS_ACCESS_KEY_ID" in err
        assert "credentials=" not in err + out.decode()
        assert json.loads(out)["error"]["type"] == "NoCredentialsError"
        assert emulator.requests == ()

    @pytest.mark.usefixtures("emulator")
    def test_refused(self, command, monkeypatch):
        """An error response from the service causes exit code 4, and --json prints the error's
        details.
        """
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert code == 4
        assert "InvalidSignatureException" in err
        document = json.loads(out)["error"]
        assert tuple(
            document[name] for name in ("type", "code", "status_code", "attempts", "retryable")
        ) == ("AccessDeniedError", "InvalidSignatureException", 403, 1, False)
        assert document["request_id"]
        assert document["message"]

    @pytest.mark.usefixtures("emulator")
    def test_failed(self, command):
        """A failed inference causes exit code 5, and the model's message is shown."""
        code, out, err = command(*self.INVOKE, stdin=b"fail")
        assert (code, out) == (5, b"")
        assert "out of memory" in err

    @pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon", "2e9"])
    def test_a_time_limit_is_checked_before_anything_is_queued(
        self, emulator, command, capsysbinary, seconds
    ):
        """An invalid timeout is rejected before a job is queued."""
        with pytest.raises(SystemExit) as refused:
            command(*self.INVOKE, "--timeout", seconds, stdin=b"x")
        assert (refused.value.code, emulator.jobs) == (2, ())
        said = b"argument --timeout: must be a number of seconds from 0 to 1,000,000,000"
        assert said in capsysbinary.readouterr().err

    @pytest.mark.parametrize("output", ["no/such/folder/out", "."], ids=["no folder", "a folder"])
    def test_an_output_is_checked_before_anything_is_queued(
        self, emulator, command, capsysbinary, output
    ):
        """An --output path that cannot be written to is rejected before a job is queued."""
        with pytest.raises(SystemExit) as refused:
            command(*self.INVOKE, "--output", output, stdin=b"x")
        assert (refused.value.code, emulator.jobs) == (2, ())
        said = b"argument --output: must be a writable file in a writable folder"
        assert said in capsysbinary.readouterr().err

    @pytest.mark.usefixtures("emulator")
    def test_failed_as_json(self, command):
        """With --json, the error document of a failed inference contains the reason and the job's
        handle.
        """
        code, out, _ = command(*self.INVOKE, "--inference-id", "mine", "--json", stdin=b"fail")
        document = json.loads(out)["error"]
        assert (code, document["invocation"]["inference_id"]) == (5, "mine")
        assert "out of memory" in document["reason"]

    def test_no_answer_in_time_as_json(self, command, emulator):
        """If the output does not appear before the timeout, --json prints a document whose handle
        can be passed to `wait`.
        """
        emulator.set_concurrency(0)
        code, out, _ = command(*self.INVOKE, "--timeout", "0", "--json", stdin=b"x")
        document = json.loads(out)["error"]
        assert (code, "reason" in document) == (6, False)
        emulator.set_concurrency(1)
        handle = json.dumps(document["invocation"]).encode()
        assert command("wait", "-", stdin=handle)[:2] == (0, b"X")

    def test_no_answer_in_time(self, command, emulator):
        """If the output does not appear before the timeout, the exit code is 6, and the handle on
        stderr can be passed to `wait`.
        """
        emulator.set_concurrency(0)
        code, out, err = command(*self.INVOKE, "--timeout", "0", stdin=b"x")
        assert (code, out) == (6, b"")
        handle = re.search(r"handle for `sagemaker-runtime wait`: (.*)\n", err)[1]
        emulator.set_concurrency(1)
        assert command("wait", "-", stdin=handle.encode())[:2] == (0, b"X")

    @pytest.mark.usefixtures("shortest_pauses")
    def test_network(self, command, emulator):
        """A network error causes exit code 7 after three attempts."""
        emulator.faults.always(Faults.RESET_BEFORE_READ)
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert code == 7
        assert "attempts 3" in err
        assert json.loads(out)["error"]["retryable"]


class TestSignals:
    """Tests of signals that are sent to the command-line tool in a separate process."""

    LOOP = f"for i in 1 2 3; do echo x | {PROGRAM} invoke a --input -; done; echo went on"

    @pytest.fixture(autouse=True)
    def _sources(self, bare_environment):
        bare_environment.setenv("PYTHONPATH", SOURCES)

    @staticmethod
    def wait_for_a_poll(emulator):
        """Wait until the command has polled for the output of its job."""
        while not any(one.operation == "GetObject" for one in emulator.requests):
            Event().wait(0.01)

    def test_ctrl_c_ends_a_loop(self, emulator):
        """Ctrl-C ends not only the command but also a shell loop around it, so no further job is
        queued.
        """
        emulator.set_concurrency(0)
        with subprocess.Popen(
            ["bash", "-c", self.LOOP],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as shell:
            self.wait_for_a_poll(emulator)
            os.killpg(shell.pid, signal.SIGINT)
            out, err = shell.communicate(timeout=60)
        assert (shell.returncode, out, len(emulator.jobs)) == (-signal.SIGINT, "", 1)
        assert "Traceback" not in err

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("waits_again", [False, True], ids=["invoke", "wait"])
    def test_the_handle_is_said(self, emulator, waits_again, number):
        """After SIGINT, SIGTERM or SIGHUP, `invoke` and `wait` show the job's handle on stderr
        once, and the process ends by that signal.
        """
        emulator.set_concurrency(0)
        arguments, stdin = ["invoke", "a", "--input", "-"], b"x"
        if waits_again:
            with SageMakerRuntimeClient(**settings(emulator)) as client:
                stdin = client.invoke_endpoint_async("a", body=b"x").to_json().encode()
            arguments = ["wait", "-"]
        with subprocess.Popen(
            [*PROGRAM.split(), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
            self.wait_for_a_poll(emulator)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (-number, b"")
        (handle,) = re.findall(r"handle for `sagemaker-runtime wait`: (.*)\n", err.decode())
        assert emulator.jobs[0].invocation.request.inference_id in handle
        assert b"Traceback" not in err

    def test_an_ignored_signal_stays_so(self, emulator, tmp_path):
        """If SIGHUP is ignored, as under nohup, `invoke` continues after it receives SIGHUP."""
        emulator.set_concurrency(0)
        (tmp_path / "in").write_bytes(b"x")
        command = f"trap '' HUP; exec {PROGRAM} invoke a --input {tmp_path / 'in'}"
        with subprocess.Popen(
            ["/bin/sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            self.wait_for_a_poll(emulator)
            process.send_signal(signal.SIGHUP)
            emulator.set_concurrency(1)
            out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, b"X")


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("broken", [141, 8], ids=["a pipe without a reader", "a full disk"])
class TestBrokenStdout:
    """If stdout is a broken pipe or on a full disk, no traceback is shown, not even when Python
    exits.
    """

    INVOKE = ("invoke", "my-endpoint", "--input", "-")

    @pytest.fixture
    def command(self, command, monkeypatch, broken):
        """A function that runs the command-line tool with a stdout that cannot be written to."""

        def run(*arguments, stdin):
            target = "/dev/full"
            if broken == 141:
                reader, target = os.pipe()
                os.close(reader)
            with open(target, "w") as stdout:  # noqa: PTH123
                monkeypatch.setattr(sys, "stdout", stdout)
                return command(*arguments, stdin=stdin)

        return run

    @pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["plain", "json"])
    def test_answer(self, command, broken, arguments):
        """If the output cannot be written to stdout, `invoke` ends silently for a broken pipe, and
        shows the reason on stderr for a full disk.
        """
        code, _, err = command(*self.INVOKE, *arguments, stdin=b"x")
        assert code == broken
        assert ("stdout could not be written: No space left on device" in err) is (code == 8)

    def test_handle(self, command, broken):
        """If `invoke --no-wait` cannot print the job's handle on stdout, it prints the handle on
        stderr.
        """
        code, _, err = command(*self.INVOKE, "--no-wait", stdin=b"x")
        assert code == broken
        (handle,) = re.findall("^handle for `sagemaker-runtime wait`: (.*)$", err, re.MULTILINE)
        assert Invocation.from_json(handle).output_location

    def test_failure(self, command):
        """If the error document of a failed inference cannot be printed, the exit code is still 5."""
        assert command(*self.INVOKE, "--json", stdin=b"fail")[0] == 5


@pytest.fixture
def file_size_limit():
    """The maximum size of a file that this process can write during the test, in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield 1 << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestOutput:
    """Tests of --output with a file on a full disk and with a full device."""

    def test_full_disk(self, emulator, bare_environment, tmp_path):
        """If the output does not fit on the disk, the old file remains unchanged, no temporary file
        is left, and the error contains the handle.
        """
        bare_environment.setenv("PYTHONPATH", SOURCES)
        answer = tmp_path / "out"
        answer.write_bytes(b"as it was")
        line = f"ulimit -f 0; exec {PROGRAM} invoke a --input - --json --output {answer}"
        done = subprocess.run(
            ["/bin/sh", "-c", line], input=b"x", capture_output=True, check=False, timeout=60
        )
        document = json.loads(done.stdout)["error"]
        said = f"{answer} could not be written: File too large"
        assert (done.returncode, document["message"]) == (8, said)
        assert ([*tmp_path.iterdir()], answer.read_bytes()) == ([answer], b"as it was")
        (job,) = emulator.jobs
        assert job.invocation.output_location == document["invocation"]["output_location"]
        assert done.stderr.count(b"handle for `sagemaker-runtime wait`: ") == 1

    def test_full_disk_without_json(self, command, emulator, file_size_limit, tmp_path):
        """The same holds without --json, where the output is written while it arrives."""
        answer = tmp_path / "out"
        answer.write_bytes(b"as it was")
        emulator.objects.put("s3://b/in", bytes(2 * file_size_limit))
        arguments = ("invoke", "a", "--input-location", "s3://b/in", "--output", str(answer))
        code, _, err = command(*arguments)
        said = f"sagemaker-runtime: {answer} could not be written: File too large\n"
        assert (code, said in err, len(emulator.jobs)) == (8, True, 1)
        assert ([*tmp_path.iterdir()], answer.read_bytes()) == ([answer], b"as it was")

    @pytest.mark.usefixtures("emulator")
    def test_full_device(self, command):
        """If `wait` cannot write the output to a device, the error document and stderr contain the
        handle.
        """
        arguments = ("invoke", "a", "--input", "-", "--no-wait")
        handle = command(*arguments, stdin=b"x")[1]
        code, out, err = command("wait", "-", "--json", "--output", "/dev/full", stdin=handle)
        document = json.loads(out)["error"]
        assert (code, document["type"]) == (8, "NotWrittenError")
        assert json.loads(handle) == document["invocation"]
        assert f"handle for `sagemaker-runtime wait`: {handle.decode()}" in err


@pytest.mark.usefixtures("emulator")
def test_a_failure_moves_no_cursor(command):
    """A model's error message is shown on one line with escaped control characters, so it cannot
    control the terminal.
    """
    code, out, err = command("invoke", "a", "--input", "-", "--json", stdin=b"forge")
    assert code == 5
    shown = r"out of memory\x1b[2K\nsagemaker-runtime: done\u202e"
    assert shown in err
    assert len(err.splitlines()) == 2
    assert (
        "out of memory\x1b[2K\nsagemaker-runtime: done\u202e" in json.loads(out)["error"]["reason"]
    )
