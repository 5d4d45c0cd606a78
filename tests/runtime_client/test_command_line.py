"""The command line: options, exit codes, what goes to stdout and what to stderr."""

import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from threading import Event, Thread, main_thread

import boto3
import pytest

from sagemaker_runtime_client import (
    Invocation,
    SageMakerRuntimeClient,
    __version__,
    _options,
)
from sagemaker_runtime_client.__main__ import EXIT_CODES, main
from sagemaker_runtime_client._options import EPILOG
from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure
from sagemaker_runtime_client.emulator._environment import IN_THE_WAY, TAKEN_BACK
from tests.runtime_client.faces import often

ROOT = Path(__file__).parent.parent.parent
SOURCES = os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])


def model(request):
    """Answer in capitals; fail on request."""
    if request.body == b"fail":
        raise ModelFailure('{"message": "out of memory"}')
    return request.body.upper(), request.content_type or "text/plain"


@pytest.fixture
def emulator(bare_environment):
    """An emulator that the environment points at."""
    with Emulator(model=model) as emulator:
        for name, value in emulator.environ.items():
            bare_environment.setenv(name, value)
        yield emulator


@pytest.fixture
def command(capsysbinary, monkeypatch):
    """A function that runs a command line on some stdin, and returns code, stdout and stderr."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return code, out, err.decode()

    return run


class TestInvoke:
    def test_file(self, command, emulator, tmp_path):
        """A file's answer goes to stdout byte for byte; the handle, to wait again, to stderr."""
        payload = tmp_path / "in"
        payload.write_bytes(b"hello \xff")
        code, out, err = command("invoke", "my-endpoint", "--input", str(payload))
        assert (0, b"hello \xff".upper()) == (code, out)
        handle = Invocation.from_json(re.match(r"queued; to wait again: (.*)\n", err)[1])
        assert emulator.jobs[0].invocation.request.inference_id == handle.inference_id

    def test_streams(self, command, emulator, tmp_path):
        """The payload may come from stdin, and the answer go to a file."""
        answer = tmp_path / "out"
        arguments = ("invoke", "my-endpoint", "--input", "-", "--output", str(answer))
        assert (0, b"") == command(*arguments, stdin=b"hello")[:2]
        assert b"HELLO" == answer.read_bytes()
        assert 1 == len(emulator.jobs)

    def test_profile(self, command, emulator, bare_environment, tmp_path):
        """A profile has keys and region, for the job and for a wait."""
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
        assert 0 == code
        assert (0, b"HELLO") == command("wait", "-", *profile, stdin=handle)[:2]
        assert 2 == command("wait", "-", "--profile", "home", stdin=handle)[0]

    def test_location(self, command, emulator):
        """The payload may lie in S3 already."""
        emulator.objects.put("s3://inputs/in", b"from s3")
        code, out, _ = command("invoke", "my-endpoint", "--input-location", "s3://inputs/in")
        assert (0, b"FROM S3") == (code, out)

    def test_large_payload(self, command, emulator):
        """A payload over the limit goes below the prefix; without one nothing is sent."""
        payload = b"x" * 128_001
        arguments = ("invoke", "my-endpoint", "--input", "-")
        code, out, err = command(*arguments, stdin=payload)
        assert (2, b"") == (code, out)
        assert "input_prefix is needed" in err
        assert () == emulator.requests
        code, out, _ = command(*arguments, "--input-prefix", "s3://inputs/p", stdin=payload)
        assert (0, payload.upper()) == (code, out)
        assert 1 == len(emulator.objects.list("s3://inputs/p/"))

    def test_each_option(self, command, emulator):
        """Each option arrives at the service."""
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
        assert (0, b"X") == (code, out)
        (job,) = emulator.jobs
        request, invocation = job.invocation.request, job.invocation
        assert "text/csv" == request.content_type
        assert "application/json" == request.accept
        assert "trace=1" == request.custom_attributes
        assert "mine" == request.inference_id
        assert invocation.output_location.endswith("/today/answer.txt")
        assert (60, 7) == (invocation.ttl, invocation.timeout)

    def test_options_of_the_client(self, command, emulator, monkeypatch):
        """Region and endpoints may be named in place of the environment's."""
        for name in emulator.environ:
            if "REGION" in name or "URL" in name:
                monkeypatch.delenv(name)
        arguments = ("invoke", "a", "--input", "-")
        code, _, err = command(*arguments, stdin=b"x")
        assert 2 == code
        assert "no region: give the client region=" in err
        options = ["--region", emulator.region, "--ca-bundle", "/unused"]
        options += ["--endpoint-url", emulator.url, "--s3-endpoint-url", emulator.url]
        assert (0, b"X") == command(*arguments, *options, stdin=b"x")[:2]

    def test_json(self, command, emulator):
        """A JSON document has the answer and where it is from."""
        arguments = ("invoke", "a", "--input", "-", "--json", "--inference-id", "mine")
        code, out, _ = command(*arguments, stdin=b"x")
        (job,) = emulator.jobs
        assert 0 == code
        assert {
            "inference_id": "mine",
            "location": job.invocation.output_location,
            "content_type": "text/plain",
            "attempts": 1,
            "possibly_duplicated": False,
            "body": "X",
        } == json.loads(out)

    @pytest.mark.usefixtures("emulator")
    def test_json_of_no_text(self, command, tmp_path):
        """A body that is no text is in base64; with a file for the answer both are written."""
        answer = tmp_path / "out"
        arguments = ("invoke", "a", "--input", "-", "--json", "--output", str(answer))
        code, out, _ = command(*arguments, stdin=b"\xff")
        assert 0 == code
        assert b64encode(b"\xff").decode() == json.loads(out)["body_base64"]
        assert b"\xff" == answer.read_bytes()

    def test_now_and_later(self, command, emulator, tmp_path):
        """Without waiting the handle is printed, which another command waits with."""
        code, out, err = command("invoke", "a", "--input", "-", "--no-wait", stdin=b"x")
        assert (0, "") == (code, err)
        assert 1 == len(emulator.jobs)
        assert (0, b"X") == command("wait", "-", stdin=out)[:2]
        handle = tmp_path / "handle.json"
        handle.write_bytes(out)
        code, out, _ = command("wait", str(handle), "--json", "--timeout", "10")
        assert (0, "X") == (code, json.loads(out)["body"])

    @pytest.mark.usefixtures("emulator")
    def test_markup_in_an_id(self, command):
        """What an inference id may hold is no markup of the status line's."""
        arguments = ("invoke", "a", "--input", "-", "--inference-id", "job[/x]")
        assert (0, b"X") == command(*arguments, stdin=b"x")[:2]

    @pytest.mark.parametrize(
        ("closed", "code", "out", "err"),
        [
            ("2>&-", 0, "X", ""),
            (">&-", 2, "", "stdout is closed"),
            ("--no-wait >&-", 2, "", '"inference_id"'),
            ("--output {path} >&-", 0, "", "queued"),
            ("<&-", 2, "", "input_prefix is needed"),
        ],
    )
    @pytest.mark.usefixtures("emulator")
    def test_closed_streams(self, bare_environment, tmp_path, closed, code, out, err):
        """What the shell has closed costs no traceback, and no handle."""
        bare_environment.setenv("PYTHONPATH", SOURCES)
        program = f"{sys.executable} -m sagemaker_runtime_client invoke a --input - --timeout 10 "
        line = program + closed.format(path=tmp_path / "out")
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            input="x",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (code, out) == (done.returncode, done.stdout), done.stderr
        assert err in done.stderr
        assert "Traceback" not in done.stderr
        assert "--output" not in closed or (tmp_path / "out").read_text() == "X"

    @pytest.mark.usefixtures("emulator")
    def test_closed_stdout(self, monkeypatch, capsys, tmp_path):
        """Where the answer has no place to go to, that is said."""
        payload = tmp_path / "in"
        payload.write_bytes(b"x")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", None)
            code = main(["invoke", "a", "--input", str(payload), "--timeout", "10"])
            sys.stdout.close()
        assert 2 == code
        assert capsys.readouterr().err.endswith("stdout is closed\n")

    @pytest.mark.usefixtures("emulator")
    def test_without_rich(self, command, monkeypatch):
        """Progress needs rich; the command does not."""
        monkeypatch.setitem(sys.modules, "rich", None)
        monkeypatch.setitem(sys.modules, "rich.console", None)
        assert (0, b"X") == command("invoke", "a", "--input", "-", stdin=b"x")[:2]


class TestExitCodes:
    """Each failure has its code, a line on stderr, and with --json a document on stdout."""

    INVOKE = ("invoke", "a", "--input", "-")

    def test_are_documented(self):
        """The codes are those of the documentation, which the help shows."""
        documented = {int(code) for code in re.findall(r"^    (\d+) ", EPILOG, re.MULTILINE)}
        assert {0, 130, 141} | {code for _, code in EXIT_CODES} == documented

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("invoke", "no_endpoint", "--input", "-"), "endpoint_name must"),
            (("invoke", "a", "--input", "/no/such/file"), "No such file"),
            (("invoke", "a", "--input", "-", "--filename", "a.b.c"), "filename must"),
            (
                ("invoke", "a", "--input", "-", "--endpoint-url", "nowhere"),
                "the endpoint URL for SageMaker",
            ),
            (("wait", "-"), "stdin holds no handle, as invoke prints it"),
            (("wait", "/no/such/file"), "No such file"),
        ],
        ids=["argument", "input", "option", "setting", "handle", "handle's file"],
    )
    def test_wrong(self, command, emulator, arguments, why):
        """What is wrong from the start is 2, and nothing is sent."""
        code, out, err = command(*arguments, stdin=b"x")
        assert (2, b"") == (code, out)
        assert err.startswith("sagemaker-runtime: ")
        assert why in err
        assert () == emulator.requests

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("nothing",),
            ("invoke", "a"),
            ("invoke", "a", "--input", "-", "--input-location", "s3://b/k"),
            ("invoke", "a", "--input", "-", "--request-ttl-seconds", "soon"),
            ("wait",),
            ("emulate", "--port", "many"),
            ("emulate", "--port", "65536"),
        ],
        ids=[
            "none",
            "unknown",
            "no input",
            "two inputs",
            "no number",
            "no handle",
            "no port",
            "large port",
        ],
    )
    def test_usage(self, command, capsysbinary, arguments):
        """A command line that cannot be read is 2 as well, and the usage is shown."""
        with pytest.raises(SystemExit) as caught:
            command(*arguments)
        assert 2 == caught.value.code
        assert b"usage: sagemaker-runtime" in capsysbinary.readouterr().err

    def test_no_credentials(self, command, emulator, monkeypatch):
        """Without credentials it is 3."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert 3 == code
        assert "no credentials" in err
        assert "NoCredentialsError" == json.loads(out)["error"]["type"]
        assert () == emulator.requests

    @pytest.mark.usefixtures("emulator")
    def test_refused(self, command, monkeypatch):
        """A refusal of the service is 4."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert 4 == code
        assert "InvalidSignatureException" in err
        document = json.loads(out)["error"]
        assert ("AccessDeniedError", "InvalidSignatureException", 403, 1, False) == tuple(
            document[name] for name in ("type", "code", "status_code", "attempts", "retryable")
        )
        assert document["request_id"]
        assert document["message"]

    @pytest.mark.usefixtures("emulator")
    def test_failed(self, command):
        """A failed inference is 5, with the model's words."""
        code, out, err = command(*self.INVOKE, stdin=b"fail")
        assert (5, b"") == (code, out)
        assert "out of memory" in err

    @pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon", "2e9"])
    def test_a_time_limit_is_checked_before_anything_is_queued(
        self, emulator, command, capsysbinary, seconds
    ):
        """A wait that cannot be is refused while nothing is lost."""
        with pytest.raises(SystemExit) as refused:
            command(*self.INVOKE, "--timeout", seconds, stdin=b"x")
        assert (2, ()) == (refused.value.code, emulator.jobs)
        said = b"argument --timeout: must be a number of seconds, 0 to 1,000,000,000"
        assert said in capsysbinary.readouterr().err

    @pytest.mark.parametrize("output", ["no/such/folder/out", "."], ids=["no folder", "a folder"])
    def test_an_output_is_checked_before_anything_is_queued(
        self, emulator, command, capsysbinary, output
    ):
        """An answer that could not be written is not asked for."""
        with pytest.raises(SystemExit) as refused:
            command(*self.INVOKE, "--output", output, stdin=b"x")
        assert (2, ()) == (refused.value.code, emulator.jobs)
        said = b"argument --output: must be a file, in a folder that exists"
        assert said in capsysbinary.readouterr().err

    @pytest.mark.usefixtures("emulator")
    def test_failed_as_json(self, command):
        """A failed inference has its reason and its handle in the document."""
        code, out, _ = command(*self.INVOKE, "--inference-id", "mine", "--json", stdin=b"fail")
        document = json.loads(out)["error"]
        assert (5, "mine") == (code, document["invocation"]["inference_id"])
        assert "out of memory" in document["reason"]

    def test_no_answer_in_time_as_json(self, command, emulator):
        """The handle in the document serves to wait again."""
        emulator.set_concurrency(0)
        code, out, _ = command(*self.INVOKE, "--timeout", "0", "--json", stdin=b"x")
        document = json.loads(out)["error"]
        assert (6, False) == (code, "reason" in document)
        emulator.set_concurrency(1)
        handle = json.dumps(document["invocation"]).encode()
        assert (0, b"X") == command("wait", "-", stdin=handle)[:2]

    def test_no_answer_in_time(self, command, emulator):
        """A wait that ran out is 6; the handle on stderr serves to wait again."""
        emulator.set_concurrency(0)
        code, out, err = command(*self.INVOKE, "--timeout", "0", stdin=b"x")
        assert (6, b"") == (code, out)
        handle = re.search(r"to wait again: (.*)\n", err)[1]
        emulator.set_concurrency(1)
        assert (0, b"X") == command("wait", "-", stdin=handle.encode())[:2]

    @pytest.mark.usefixtures("shortest_pauses")
    def test_network(self, command, emulator):
        """A network that fails is 7."""
        emulator.faults.always(Faults.RESET_BEFORE_READ)
        code, out, err = command(*self.INVOKE, "--json", stdin=b"x")
        assert 7 == code
        assert "attempts 3" in err
        assert json.loads(out)["error"]["retryable"]

    def test_interrupted(self, command, emulator):
        """Ctrl-C while waiting is 130."""
        emulator.set_concurrency(0)
        interrupt = Thread(target=self.interrupt, args=(emulator,))
        interrupt.start()
        code, out, _ = command(*self.INVOKE, stdin=b"x")
        interrupt.join()
        assert (130, b"") == (code, out)

    @staticmethod
    def interrupt(emulator):
        """Press Ctrl-C as soon as a job is queued."""
        while not any(one.operation == "GetObject" for one in emulator.requests):
            Event().wait(0.01)
        signal.pthread_kill(main_thread().ident, signal.SIGINT)


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("broken", [141, 2], ids=["a pipe without a reader", "a full disk"])
class TestBrokenStdout:
    """Nobody reads the answer, or there is no room for it: no traceback, now or at the end."""

    INVOKE = ("invoke", "my-endpoint", "--input", "-")

    @pytest.fixture
    def command(self, command, monkeypatch, broken):
        """The function that runs a command line, with a stdout that takes nothing."""

        def run(*arguments, stdin):
            where = "/dev/full"
            if broken == 141:
                reader, where = os.pipe()
                os.close(reader)
            with open(where, "w") as stdout:  # noqa: PTH123
                monkeypatch.setattr(sys, "stdout", stdout)
                return command(*arguments, stdin=stdin)

        return run

    @pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["plain", "json"])
    def test_answer(self, command, broken, arguments):
        """The command ends quietly, or with the reason on stderr."""
        code, _, err = command(*self.INVOKE, *arguments, stdin=b"x")
        assert broken == code
        assert ("No space left" in err) is (code == 2)

    def test_handle(self, command, broken):
        """The handle of a job that nobody waits for is not lost."""
        code, _, err = command(*self.INVOKE, "--no-wait", stdin=b"x")
        assert broken == code
        (handle,) = re.findall("^queued; to wait for it: (.*)$", err, re.MULTILINE)
        assert Invocation.from_json(handle).output_location

    def test_failure(self, command):
        """An error that cannot be printed as JSON keeps its code."""
        assert 5 == command(*self.INVOKE, "--json", stdin=b"fail")[0]


class TestEmulate:
    @staticmethod
    def answers_of(monkeypatch, *arguments):
        """Run the command until a client of it has an answer; return its exit code and that answer."""
        printed = Printed()
        monkeypatch.setattr(sys, "stdout", printed)
        answers = []

        def use():
            assert printed.ready.wait(10)
            variables = dict(re.findall(r"^export (\w+)=(.*)$", printed.getvalue(), re.MULTILINE))
            client = client_of(variables)
            with client:
                answers.append(client.infer("a", b"x", timeout=10, schedule=often).body)
            signal.pthread_kill(main_thread().ident, signal.SIGINT)

        user = Thread(target=use)
        user.start()
        code = main(["emulate", *arguments])
        user.join()
        return code, *answers

    def test_until_interrupted(self, monkeypatch):
        """It prints what points a client at it, serves the model that is named, and ends with 130."""
        arguments = ("--model", f"{__name__}:model", "--region", "eu-west-1", "--host", "127.0.0.1")
        assert (130, b"X") == self.answers_of(monkeypatch, *arguments)

    @pytest.mark.parametrize("line", ["", "sys.path.remove('')"], ids=["plain", "tidy"])
    def test_model_of_the_current_folder(self, monkeypatch, tmp_path, line):
        """Only the import of the model, and what that imports, looks into the current folder."""
        monkeypatch.chdir(tmp_path)
        name = f"model_{tmp_path.name}"
        (tmp_path / f"{name}_helper.py").write_text("")
        (tmp_path / f"{name}.py").write_text(
            f"import sys\nimport {name}_helper\n{line}\n"
            "def predict(request):\n    return repr([*sys.path])\n"
        )
        path = [entry for entry in sys.path if entry]
        monkeypatch.setattr(sys, "path", [*path])
        arguments = ("--model", f"{name}:predict")
        assert (130, repr(path).encode()) == self.answers_of(monkeypatch, *arguments)

    def test_in_another_process(self, bare_environment):
        """Our client and boto3 find the emulator of another process by what it prints."""
        bare_environment.setenv("PYTHONPATH", SOURCES)
        arguments = [sys.executable, "-m", "sagemaker_runtime_client", "emulate"]
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            variables, said = {}, process.stderr.readline()
            assert process.stdout.readline() == f"unset {' '.join(IN_THE_WAY)}\n"
            while len(variables) < 8:
                name, value = process.stdout.readline().split()[1].split("=", 1)
                variables[name] = value
            assert f"SageMaker and S3 at {variables['AWS_ENDPOINT_URL_S3']}, until Ctrl-C\n" == said
            for name, value in variables.items():
                bare_environment.setenv(name, value)
            s3 = boto3.client("s3")
            s3.put_object(Bucket="inputs", Key="in", Body=b"hello")
            with SageMakerRuntimeClient() as client:
                output = client.infer(
                    "a", b"x", timeout=10, schedule=often, inline=False, input_prefix="s3://inputs"
                )
                assert b"hello" == client.get_object("s3://inputs/in").body
            bucket, _, key = output.location.removeprefix("s3://").partition("/")
            assert b"x" == s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            s3.close()
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=10)
        assert (130, ("", "")) == (process.returncode, rest)

    def test_in_a_shell_that_points_elsewhere(self, bare_environment):
        """The printed lines lead a shell to the emulator, whatever it was set up for before."""
        bare_environment.setenv("PYTHONPATH", SOURCES)
        for name in IN_THE_WAY:
            bare_environment.setenv(name, "elsewhere")
        for name in TAKEN_BACK:
            bare_environment.setenv(name, "true")
        for name in ("HTTP_PROXY", "http_proxy"):
            bare_environment.setenv(name, "http://127.0.0.1:9")
        program = f"{sys.executable} -m sagemaker_runtime_client"
        with subprocess.Popen(
            [*program.split(), "emulate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            lines = "".join(process.stdout.readline() for _ in range(12))
            done = subprocess.run(
                ["/bin/sh", "-c", f"{lines}printf x | {program} invoke a --input - --timeout 10"],
                capture_output=True,
                check=False,
                timeout=60,
            )
            process.send_signal(signal.SIGINT)
        assert (0, b"x") == (done.returncode, done.stdout), done.stderr

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("--model", "nothing"), "model must be a function, 'module:function'"),
            (("--model", "no_such_module:model"), "No module named 'no_such_module'"),
            (("--model", "json:no_such_function"), "no attribute 'no_such_function'"),
            (("--model", "json:__doc__"), "must be a plain function, not 'JSON"),
            (("--model", "asyncio:sleep"), "must be a plain function, not <function sleep"),
            (("--host", "192.0.2.1"), "Cannot assign requested address"),
        ],
        ids=["no model", "no module", "no function", "a text", "async", "no host"],
    )
    def test_wrong(self, command, arguments, why):
        """What cannot be started is 2, and says why."""
        code, out, err = command("emulate", *arguments)
        assert (2, b"") == (code, out)
        assert re.search(why, err)

    def test_address_in_use(self, command, emulator):
        """A port that is taken is 2."""
        code, _, err = command("emulate", "--port", emulator.url.rpartition(":")[2])
        assert 2 == code
        assert "Address already in use" in err

    def test_without_the_extra(self, command, monkeypatch):
        """Without starlette and uvicorn it says what to install."""
        for name in [name for name in sys.modules if "runtime_client.emulator" in name]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        code, out, err = command("emulate")
        assert (2, b"") == (code, out)
        assert "pip install sagemaker-runtime-client[emulator]" in err


class Printed(io.StringIO):
    """A stdout that tells when it is flushed."""

    def __init__(self):
        super().__init__()
        self.ready = Event()

    def flush(self):
        self.ready.set()


def client_of(variables):
    """Return a client of the emulator that printed these variables."""
    from sigv4 import Credentials

    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return SageMakerRuntimeClient(
        region=variables["AWS_REGION"],
        credentials=credentials,
        endpoint_url=variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"],
        s3_endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
    )


class TestProgram:
    def test_as_a_module(self, capsys, monkeypatch):
        """`python -m sagemaker_runtime_client` is the command, and its code the process's."""
        monkeypatch.setattr(sys, "argv", ["sagemaker-runtime", "--version"])
        monkeypatch.delitem(sys.modules, "sagemaker_runtime_client.__main__")
        with pytest.raises(SystemExit) as caught:
            runpy.run_module("sagemaker_runtime_client", run_name="__main__")
        assert (0, f"{__version__}\n") == (caught.value.code, capsys.readouterr().out)

    @pytest.mark.parametrize("command", ["invoke", "wait", "credentials", "emulate", "layer"])
    def test_help(self, capsys, command):
        """Each command has its help, and the program's shows the exit codes."""
        for arguments, word in (([], "130  interrupted"), ([command], f"runtime {command}")):
            with pytest.raises(SystemExit) as caught:
                main([*arguments, "--help"])
            assert 0 == caught.value.code
            assert word in capsys.readouterr().out

    def test_each_option_has_help(self):
        """No option and no command is left without a word on what it does."""
        names = ("invoke", "wait", "credentials", "emulate", "layer")
        program = _options.parser(**dict.fromkeys(names, print))
        (commands,) = [one for one in program._actions if isinstance(one.choices, dict)]
        parsers = [program, *commands.choices.values()]
        actions = [one for parser in parsers for one in parser._actions if one is not commands]
        assert [] == [one.dest for one in actions + commands._choices_actions if not one.help]
        assert len(actions) > 30
