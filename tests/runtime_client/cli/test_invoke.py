"""Tests of the commands `invoke` and `wait`, and of the command-line tool's help."""

import json
import os
import re
import runpy
import subprocess
import sys
from base64 import b64encode
from contextlib import suppress

import pytest

from sagemaker_runtime_client import Invocation, __version__
from sagemaker_runtime_client._cli import options as _options
from sagemaker_runtime_client._cli.commands import main
from tests.runtime_client.cli.programs import PROGRAM, SOURCES


class TestInvoke:
    def test_file(self, command, emulator, tmp_path):
        """`invoke` writes the output to stdout byte for byte, and the job's handle to stderr."""
        payload = tmp_path / "in"
        payload.write_bytes(b"hello \xff")
        code, out, err = command("invoke", "my-endpoint", "--input", str(payload))
        assert (code, out) == (0, b"hello \xff".upper())
        handle = Invocation.from_json(
            re.match(r"job queued; handle for `sagemaker-runtime wait`: (.*)\n", err)[1]
        )
        assert emulator.jobs[0].invocation.request.inference_id == handle.inference_id

    def test_streams(self, command, emulator, tmp_path):
        """`invoke` can read the payload from stdin, and write the output to a file."""
        answer = tmp_path / "out"
        arguments = ("invoke", "my-endpoint", "--input", "-", "--output", str(answer))
        assert command(*arguments, stdin=b"hello")[:2] == (0, b"")
        assert answer.read_bytes() == b"HELLO"
        assert len(emulator.jobs) == 1

    def test_profile(self, command, emulator, bare_environment, tmp_path):
        """With --profile, `invoke` and `wait` use the credentials and the region of that profile."""
        environ = emulator.environ
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            bare_environment.delenv(name)
        config = tmp_path / "config"
        config.write_text(
            f"[profile work]\nregion = {environ['AWS_REGION']}\n"
            f"aws_access_key_id = {environ['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {environ['AWS_SECRET_ACCESS_KEY']}\n"
        )
        bare_environment.setenv("AWS_CONFIG_FILE", str(config))
        profile = ("--profile", "work")
        arguments = ("invoke", "my-endpoint", "--input", "-", "--no-wait", *profile)
        code, handle, _ = command(*arguments, stdin=b"hello")
        assert code == 0
        assert command("wait", "-", *profile, stdin=handle)[:2] == (0, b"HELLO")
        assert command("wait", "-", "--profile", "home", stdin=handle)[0] == 2

    def test_location(self, command, emulator):
        """With --input-location, `invoke` uses a payload that is already in S3."""
        emulator.objects.put("s3://inputs/in", b"from s3")
        code, out, _ = command("invoke", "my-endpoint", "--input-location", "s3://inputs/in")
        assert (code, out) == (0, b"FROM S3")

    def test_large_payload(self, command, emulator):
        """A payload of more than 128,000 bytes is uploaded below --input-prefix.

        Without that option, nothing is sent.
        """
        payload = b"x" * 128_001
        arguments = ("invoke", "my-endpoint", "--input", "-")
        code, out, err = command(*arguments, stdin=payload)
        assert (code, out) == (2, b"")
        assert "--input-prefix is required" in err
        assert emulator.requests == ()
        code, out, _ = command(*arguments, "--input-prefix", "s3://inputs/p", stdin=payload)
        assert (code, out) == (0, payload.upper())
        assert len(emulator.objects.list("s3://inputs/p/")) == 1

    def test_large_output(self, command, emulator, tmp_path):
        """A large output is written to the file in parts, and a link to the file is kept."""
        answer, link = tmp_path / "out", tmp_path / "link"
        answer.touch(0o640)
        link.symlink_to(answer)
        emulator.objects.put("s3://inputs/in", b"x" * (9 << 20))
        arguments = ("invoke", "a", "--input-location", "s3://inputs/in", "--output", str(link))
        assert command(*arguments)[:2] == (0, b"")
        assert (answer.read_bytes() == b"X" * (9 << 20), link.is_symlink()) == (True, True)
        assert answer.stat().st_mode & 0o777 == 0o640
        assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]

    def test_each_option(self, command, emulator):
        """The service receives the value of each request option of `invoke`."""
        options = {
            "--content-type": "text/csv",
            "--accept": "application/json",
            "--custom-attributes": "trace=1",
            "--inference-id": "mine",
            "--s3-output-path-extension": "today",
            "--filename": "answer.txt",
            "--request-ttl-seconds": "60",
            "--invocation-timeout-seconds": "7",
        }
        arguments = [word for pair in options.items() for word in pair]
        code, out, _ = command("invoke", "a", "--input", "-", *arguments, stdin=b"x")
        assert (code, out) == (0, b"X")
        (job,) = emulator.jobs
        request, invocation = job.invocation.request, job.invocation
        assert request.content_type == "text/csv"
        assert request.accept == "application/json"
        assert request.custom_attributes == "trace=1"
        assert request.inference_id == "mine"
        assert invocation.output_location.endswith("/today/answer.txt")
        assert (invocation.ttl, invocation.timeout) == (60, 7)

    def test_options_of_the_client(self, command, emulator, monkeypatch):
        """The options --region, --endpoint-url and --s3-endpoint-url replace missing environment
        variables.
        """
        for name in emulator.environ:
            if "REGION" in name or "URL" in name:
                monkeypatch.delenv(name)
        arguments = ("invoke", "a", "--input", "-")
        code, _, err = command(*arguments, stdin=b"x")
        assert code == 2
        assert "pass --region, set AWS_REGION" in err
        options = ["--region", emulator.region, "--ca-bundle", "/unused"]
        options += ["--endpoint-url", emulator.url, "--s3-endpoint-url", emulator.url]
        assert command(*arguments, *options, stdin=b"x")[:2] == (0, b"X")

    def test_allowed_locations(self, command, emulator):
        """With --allowed-location, `invoke` and `wait` read from the given locations only."""
        arguments = ("invoke", "a", "--input", "-")
        elsewhere = ("--allowed-location", "s3://here/", "--allowed-location", "s3://there/a/")
        code, out, err = command(*arguments, *elsewhere, stdin=b"x")
        assert (code, out) == (2, b"")
        assert "is outside --allowed-location" in err
        handle = emulator.jobs[0].invocation
        location = handle.output_location.rpartition("/")[0] + "/"
        allowed = (*elsewhere, "--allowed-location", location)
        assert command(*arguments, *allowed, stdin=b"x")[:2] == (2, b"")
        bucket = ("--allowed-location", "s3://" + location.split("/")[2])
        assert command(*arguments, *bucket, stdin=b"x")[:2] == (0, b"X")

    @pytest.mark.usefixtures("emulator")
    def test_bucket_owner(self, command):
        """With --expected-bucket-owner, S3 rejects buckets of other accounts."""
        arguments = ("invoke", "a", "--input", "-", "--expected-bucket-owner")
        assert command(*arguments, "0" * 12, stdin=b"x")[:2] == (0, b"X")
        code, _, err = command(*arguments, "1" * 12, "--timeout", "0", stdin=b"x")
        assert code == 6
        assert "S3 denied every poll" in err

    def test_json(self, command, emulator):
        """With --json, `invoke` prints a document with the output, its location and the inference
        ID.
        """
        arguments = ("invoke", "a", "--input", "-", "--json", "--inference-id", "mine")
        code, out, _ = command(*arguments, stdin=b"x")
        (job,) = emulator.jobs
        assert code == 0
        assert json.loads(out) == {
            "inference_id": "mine",
            "location": job.invocation.output_location,
            "content_type": "text/plain",
            "attempts": 1,
            "possibly_duplicated": False,
            "body": "X",
        }

    @pytest.mark.usefixtures("emulator")
    def test_json_of_no_text(self, command, tmp_path):
        """With --json, an output that is not UTF-8 is printed in base64, and --output also writes
        the output to a file.
        """
        answer = tmp_path / "out"
        arguments = ("invoke", "a", "--input", "-", "--json", "--output", str(answer))
        code, out, _ = command(*arguments, stdin=b"\xff")
        assert code == 0
        assert json.loads(out)["body_base64"] == b64encode(b"\xff").decode()
        assert answer.read_bytes() == b"\xff"

    def test_now_and_later(self, command, emulator, tmp_path):
        """With --no-wait, `invoke` prints the job's handle, which `wait` accepts on stdin or in a
        file.
        """
        code, out, err = command("invoke", "a", "--input", "-", "--no-wait", stdin=b"x")
        assert (code, err) == (0, "")
        assert len(emulator.jobs) == 1
        assert command("wait", "-", stdin=out)[:2] == (0, b"X")
        handle = tmp_path / "handle.json"
        handle.write_bytes(out)
        code, out, _ = command("wait", str(handle), "--json", "--timeout", "10")
        assert (code, json.loads(out)["body"]) == (0, "X")

    @pytest.mark.usefixtures("emulator")
    def test_markup_in_an_id(self, command):
        """An inference ID that looks like rich markup causes no error."""
        arguments = ("invoke", "a", "--input", "-", "--inference-id", "job[/x]")
        assert command(*arguments, stdin=b"x")[:2] == (0, b"X")

    @pytest.mark.parametrize(
        ("closed", "code", "out", "err"),
        [
            ("2>&-", 0, "X", ""),
            (">&-", 2, "", "stdout is closed: use --output to write to a file, without --json"),
            ("--no-wait >&-", 2, "", "stdout is closed"),
            ("--output {path} --json >&-", 2, "", "stdout is closed"),
            ("--output {path} >&-", 0, "", "queued"),
            ("<&-", 2, "", "--input-prefix is required"),
            ("2>/dev/full", 0, "X", ""),
        ],
    )
    def test_closed_streams(self, emulator, bare_environment, tmp_path, closed, code, out, err):
        """If a standard stream is closed, or stderr is on a full disk, `invoke` shows no traceback,
        and queues a job only if it can then write the output.
        """
        bare_environment.setenv("PYTHONPATH", SOURCES)
        line = f"{PROGRAM} invoke a --input - --timeout 10 "
        line += closed.format(path=tmp_path / "out")
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            input="x",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (code, out), done.stderr
        assert err in done.stderr
        assert "Traceback" not in done.stderr
        assert (code == 0) is bool(emulator.jobs)
        assert ("--output" in closed and code == 0) is (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (
                ("invoke", "a", "--input", "-"),
                "stdout is closed: use --output to write to a file, without --json",
            ),
            (("wait", "-"), "stdout is closed: use --output to write to a file, without --json"),
            (("credentials",), "the output cannot be printed: stdout is closed"),
        ],
        ids=["invoke", "wait", "credentials"],
    )
    def test_closed_stdout(self, emulator, command, monkeypatch, arguments, said):
        """If stdout is closed, `invoke`, `wait` and `credentials` return exit code 2 before
        anything is sent.
        """
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", None)
            code, _, err = command(*arguments, stdin=b"x")
            sys.stdout.close()
        assert (code, err) == (2, f"sagemaker-runtime: {said}\n")
        assert emulator.requests == ()

    def test_a_prefix_without_a_payload(self, command, emulator):
        """--input-prefix is rejected if it would have no effect because the payload is already in
        S3.
        """
        location = ("--input-location", "s3://b/k", "--input-prefix", "s3://b/p")
        code, _, err = command("invoke", "a", *location)
        assert (code, emulator.requests) == (2, ())
        assert "--input-prefix requires --input" in err

    @pytest.mark.usefixtures("emulator")
    @pytest.mark.parametrize("is_there", [True, False], ids=["on a terminal", "after a hang-up"])
    @pytest.mark.parametrize("has_rich", [True, False], ids=["with rich", "without rich"])
    def test_status_line(self, command, monkeypatch, is_there, has_rich):
        """On a terminal, `invoke` shows the handle and, if rich is installed, a status line; after
        the terminal has hung up, `invoke` still writes the output to stdout.
        """
        if not has_rich:
            monkeypatch.setitem(sys.modules, "rich.console", None)
        keyboard, screen = os.openpty()
        with open(keyboard, "rb", buffering=0) as shown:  # noqa: PTH123
            with open(screen, "w") as stderr:  # noqa: PTH123
                monkeypatch.setattr(sys, "stderr", stderr)
                if not is_there:
                    shown.close()
                arguments = ("--inference-id", "mine")
                code, out, _ = command("invoke", "a", "--input", "-", *arguments, stdin=b"x")
            assert (code, out) == (0, b"X")
            if is_there:
                seen = b""
                with suppress(
                    OSError
                ):  # on Linux, reading the terminal raises an error after the other end is closed
                    while piece := shown.read(4096):
                        seen += piece
                assert (
                    b'job queued; handle for `sagemaker-runtime wait`: {"inference_id": "mine"'
                    in seen
                )
                assert (b"waiting for inference mine" in seen) is has_rich


class TestProgram:
    def test_as_a_module(self, capsys, monkeypatch):
        """`python -m sagemaker_runtime_client` runs the command-line tool and returns its exit
        code.
        """
        monkeypatch.setattr(sys, "argv", ["sagemaker-runtime", "--version"])
        monkeypatch.delitem(sys.modules, "sagemaker_runtime_client._cli.commands")
        monkeypatch.delitem(sys.modules, "sagemaker_runtime_client.__main__", raising=False)
        with pytest.raises(SystemExit) as caught:
            runpy.run_module("sagemaker_runtime_client", run_name="__main__")
        assert (caught.value.code, capsys.readouterr().out) == (0, f"{__version__}\n")

    @pytest.mark.parametrize(
        "command",
        [
            "invoke",
            "wait",
            "upload",
            "download",
            "ls",
            "presign",
            "credentials",
            "emulate",
            "layer",
        ],
    )
    def test_help(self, capsys, command):
        """Each command has a help page, and the help page of the command-line tool lists the exit
        codes.
        """
        for arguments, word in (([], "130  ended by Ctrl-C"), ([command], f"runtime {command}")):
            with pytest.raises(SystemExit) as caught:
                main([*arguments, "--help"])
            assert caught.value.code == 0
            assert word in capsys.readouterr().out

    def test_each_option_has_help(self):
        """Every option and every command has a help text."""
        names = ("invoke", "stream", "wait", "upload", "download", "ls", "presign")
        names += ("credentials", "emulate", "layer")
        program = _options.parser(**dict.fromkeys(names, print))
        (commands,) = [one for one in program._actions if isinstance(one.choices, dict)]
        parsers = [program, *commands.choices.values()]
        actions = [one for parser in parsers for one in parser._actions if one is not commands]
        assert [one.dest for one in actions + commands._choices_actions if not one.help] == []
        assert len(actions) > 30
