"""Tests of the command `emulate`, which runs the emulator until Ctrl-C."""

import io
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event, Thread, main_thread

import boto3
import pytest

from sagemaker_runtime_client import (
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client.emulator._environment import CONFLICTING_VARIABLES, RESET_VARIABLES
from tests.runtime_client.cli.programs import SOURCES
from tests.runtime_client.clients import often


@contextmanager
def blocked_once_raised():
    """Turn the first SIGINT into a KeyboardInterrupt, and block the second, with which the command
    would end this process.
    """

    def interrupt(number, _):
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
        assert signal.sigtimedwait({signal.SIGINT}, 10) is not None
    finally:
        signal.signal(signal.SIGINT, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def infer(client):
    """Return the body of an inference's output."""
    return client.infer("a", b"x", timeout=10, schedule=often).body


def stream_and_route(client):
    """Return the parts of a streamed response, and the output of a call of an inference router."""
    with client.stream_endpoint("a", b"xyz") as stream:
        parts = [*stream.bytes()]
    return parts, client.invoke_inference_router("r", "t", b"x").body


class TestEmulate:
    @staticmethod
    def get_responses(monkeypatch, *arguments, use_client=infer):
        """Run `emulate` until a client was used, and return the exit code and the result."""
        printed = Printed()
        monkeypatch.setattr(sys, "stdout", printed)
        answers = []

        def use():
            assert printed.ready.wait(10)
            variables = dict(re.findall(r"^export (\w+)=(.*)$", printed.getvalue(), re.MULTILINE))
            client = make_client(variables)
            with client:
                answers.append(use_client(client))
            signal.pthread_kill(main_thread().ident, signal.SIGINT)

        user = Thread(target=use)
        user.start()
        with blocked_once_raised():
            code = main(["emulate", *arguments])
        user.join()
        return code, *answers

    def test_until_interrupted(self, monkeypatch):
        """`emulate` prints the variables with which clients find the emulator, serves the model
        until Ctrl-C, and then returns exit code 130.
        """
        arguments = (
            "--model",
            "tests.runtime_client.cli.programs:model",
            "--region",
            "eu-west-1",
            "--host",
            "127.0.0.1",
        )
        assert self.get_responses(monkeypatch, *arguments) == (130, b"X")

    def test_streams_and_routers(self, monkeypatch):
        """The model may return an iterator.  `--part-size` limits the parts of a stream, and
        `--destination` adds an endpoint that routers try.
        """
        arguments = ("--model", "tests.runtime_client.cli.programs:yielding_model")
        arguments += ("--part-size", "2", "--destination", "t=busy", "--destination", "t=idle")
        responses = self.get_responses(monkeypatch, *arguments, use_client=stream_and_route)
        assert responses == (130, ([b"a", b"xy", b"z"], b"idlex"))

    @pytest.mark.parametrize("topics", [(), ("--success-topic", "a", "--error-topic", "b")])
    def test_notified_function(self, monkeypatch, topics):
        """`--notify` calls a function with the events of the service in `--notify-by`."""
        arguments = ("--notify", "tests.runtime_client.cli.programs:notified", *topics)

        def use(client):
            infer(client)
            while "notified of" not in sys.stdout.getvalue():
                assert main_thread().is_alive()
            return sys.stdout.getvalue().splitlines()[-1]

        responses = self.get_responses(
            monkeypatch, *arguments, "--notify-by", "sqs", use_client=use
        )
        assert responses == (130, "notified of Completed")

    @pytest.mark.parametrize("line", ["", "sys.path.remove('')"], ids=["plain", "tidy"])
    def test_model_of_the_current_folder(self, monkeypatch, tmp_path, line):
        """The current directory is searched only while the model is imported; later it is not in
        sys.path.
        """
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
        assert self.get_responses(monkeypatch, *arguments) == (130, repr(path).encode())

    def test_in_another_process(self, bare_environment):
        """If the variables that `emulate` prints in another process are set, this client and boto3
        use that emulator.
        """
        bare_environment.setenv("PYTHONPATH", SOURCES)
        arguments = [sys.executable, "-m", "sagemaker_runtime_client", "emulate"]
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            variables, said = {}, process.stderr.readline()
            assert process.stdout.readline() == f"unset {' '.join(CONFLICTING_VARIABLES)}\n"
            while len(variables) < 8:
                name, value = process.stdout.readline().split()[1].split("=", 1)
                variables[name] = value
            url = variables["AWS_ENDPOINT_URL_S3"]
            assert (
                said == f"emulator of SageMaker and S3 running at {url}; press Ctrl-C to stop it\n"
            )
            for name, value in variables.items():
                bare_environment.setenv(name, value)
            s3 = boto3.client("s3")
            s3.put_object(Bucket="inputs", Key="in", Body=b"hello")
            with SageMakerRuntimeClient() as client:
                output = client.infer(
                    "a", b"x", timeout=10, schedule=often, inline=False, input_prefix="s3://inputs"
                )
                assert client.get_object("s3://inputs/in").body == b"hello"
            bucket, _, key = output.location.removeprefix("s3://").partition("/")
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
            s3.close()
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=10)
        assert (process.returncode, rest) == (-signal.SIGINT, ("", ""))

    def test_in_a_shell_that_points_elsewhere(self, bare_environment):
        """A shell that evaluates the lines that `emulate` prints uses the emulator, even if its
        variables specified another profile, other endpoints or a proxy.
        """
        bare_environment.setenv("PYTHONPATH", SOURCES)
        for name in CONFLICTING_VARIABLES:
            bare_environment.setenv(name, "elsewhere")
        for name in RESET_VARIABLES:
            bare_environment.setenv(name, "true")
        for name in ("HTTP_PROXY", "http_proxy"):
            bare_environment.setenv(name, "http://127.0.0.1:9")
        program = f"{sys.executable} -m sagemaker_runtime_client"
        with subprocess.Popen(
            [*program.split(), "emulate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            lines = "".join(process.stdout.readline() for _ in range(14))
            done = subprocess.run(
                ["/bin/sh", "-c", f"{lines}printf x | {program} invoke a --input - --timeout 10"],
                capture_output=True,
                check=False,
                timeout=60,
            )
            process.send_signal(signal.SIGINT)
        assert (done.returncode, done.stdout) == (0, b"x"), done.stderr

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("--model", "nothing"), "model must be a function, 'module:function'"),
            (("--model", "no_such_module:model"), "No module named 'no_such_module'"),
            (("--model", "json:no_such_function"), "no attribute 'no_such_function'"),
            (("--model", "json:__doc__"), "model must be callable, not str"),
            (
                ("--model", "asyncio:sleep"),
                "model must not be a coroutine function: <function sleep",
            ),
            (("--notify", "nothing"), "--notify must be a function or 'module:function'"),
            (("--success-topic", "a b"), "--success-topic must be a name"),
            (("--part-size", "0"), "--part-size must be from 1 to 25165824 bytes, not 0"),
            (("--host", "192.0.2.1"), "Cannot assign requested address"),
        ],
        ids=[
            "no model",
            "no module",
            "no function",
            "a text",
            "async",
            "notify",
            "topic",
            "part",
            "no host",
        ],
    )
    def test_wrong(self, command, arguments, why):
        """If the emulator cannot be started, the exit code is 2, and stderr shows the reason."""
        code, out, err = command("emulate", *arguments)
        assert (code, out) == (2, b"")
        assert re.search(why, err)

    def test_address_in_use(self, command, emulator):
        """If the port is already in use, the exit code is 2, and stderr shows this reason."""
        code, _, err = command("emulate", "--port", emulator.url.rpartition(":")[2])
        assert code == 2
        assert "Address already in use" in err

    def test_without_the_extra(self, command, monkeypatch):
        """If uvicorn is not installed, `emulate` shows how to install the extra `emulator`."""
        for name in [name for name in sys.modules if "runtime_client.emulator" in name]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        code, out, err = command("emulate")
        assert (code, out) == (2, b"")
        assert "pip install 'sagemaker-runtime-client[emulator]'" in err


class Printed(io.StringIO):
    """A stdout that sets an event when it is flushed."""

    def __init__(self):
        super().__init__()
        self.ready = Event()

    def flush(self):
        self.ready.set()


def make_client(variables):
    """Return a client of the emulator that printed the given environment variables."""
    from sigv4 import Credentials

    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return SageMakerRuntimeClient(
        region=variables["AWS_REGION"],
        credentials=credentials,
        endpoint_url=variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"],
        router_endpoint_url=variables["AWS_ENDPOINT_URL_SAGEMAKER_INFERENCE_ROUTER_RUNTIME"],
        s3_endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
    )
