"""Tests of functions that submit jobs and that are told their results, under AWS's runtime client.

The functions are as short as those that users write.  They run with each layer, and the emulator
takes the place of AWS: it runs the jobs, and passes the notifications to the functions.
"""

import ast
from contextlib import ExitStack
from pathlib import Path

import pytest

from sagemaker_runtime_client.emulator import Emulator, ModelFailure
from sagemaker_runtime_client.handlers import Message
from tests.runtime_client.events.signing import NOTIFICATION
from tests.runtime_client.handlers.lambda_events import QUEUE, completed, sns_event, sqs_event
from tests.runtime_client.layer.conftest import SPECS
from tests.runtime_client.layer.runtime_api import FunctionError

FUNCTIONS = sorted(Path(__file__).parent.joinpath("functions").glob("*.py"))
SHORT = [path for path in FUNCTIONS if path.name.startswith(("submitter", "told"))]
REASON = (
    "Received server error (500) from model. See the SageMaker Endpoint logs in your account for "
    "more information."
)
KINDS = ["", "_async"]
LEAN = ("lean", False)


def shout(request):
    """Answer in capitals, or fail."""
    if request.body == b"fail":
        raise ModelFailure(b"no")
    return request.body.upper()


class Loop:
    """Two functions, one that submits and one that is told, with the emulator between them."""

    def __init__(self, sandbox, layer, source, kind):
        self._make, self._layer, self._source, self._kind = sandbox, layer, source, kind
        self._stack = ExitStack()

    def __enter__(self):
        self.emulator = self._stack.enter_context(
            Emulator(shout, region="eu-west-1", notify=self._tell, notify_by=self._source)
        )
        self._submitter = self._start(f"submitter{self._kind}")
        self._told = self._start(f"told_by_{self._source}{self._kind}")
        return self

    def _start(self, name):
        running = self._make(self._layer, f"{name}.handler", self.emulator.environ)
        return self._stack.enter_context(running)

    def __exit__(self, *_):
        self._stack.close()

    def _tell(self, event, _):
        return self._told.invoke(**event)

    def submit(self, *bodies):
        """Pass messages to the submitter, wait until all results are told, and return its result."""
        result = self._submitter.invoke(**sqs_event(*bodies))
        self.emulator.wait_idle(60)
        return result

    def tell(self, event):
        """Pass an event to the function that is told, and return its result."""
        return self._told.invoke(**event)

    def answer(self, number):
        """Return the stored answer to the message with this number."""
        name = Message("", f"m{number}", QUEUE).job_name
        return self.emulator.objects.get(f"s3://answers/{name}").body.decode()

    @property
    def stored(self):
        """How many times an answer was stored."""
        return sum("/answers/" in one.target for one in self.emulator.requests)


@pytest.fixture(params=[spec for spec in SPECS.values() if (spec.variant, spec.sourceless) == LEAN])
def lean(request, unpacked):
    """The lean layer for each Python version under test."""
    return unpacked(request.param)


@pytest.fixture(params=KINDS, ids=["blocking", "async"])
def kind(request):
    """Each kind of client."""
    return request.param


@pytest.mark.parametrize("source", ["sqs", "sns"])
def test_whole_loop(sandbox, layer, source, kind):
    """Each message is answered once, however often messages and notifications are delivered."""
    with Loop(sandbox, layer, source, kind) as loop:
        for _ in range(2):
            assert loop.submit("one", "fail", "two") == {"batchItemFailures": []}
        for call in loop.emulator.function_calls:
            assert loop.tell(call.event) == call.result
        answers = [loop.answer(number) for number in range(3)]
        assert (len(loop.emulator.jobs), loop.stored) == (3, 3)
    assert answers == ["ONE", REASON, "TWO"]


def test_partial_batch(sandbox, lean, kind):
    """Only the messages that were not handled are reported to SQS."""
    with Loop(sandbox, lean, "sqs", kind) as loop:
        loop.submit("one")
        (call,) = loop.emulator.function_calls
        (record,) = call.event["Records"]
        missing = completed(9, responseParameters={"outputLocation": "s3://sagemaker-emulator/9"})
        elsewhere = completed(8, responseParameters={"outputLocation": "s3://elsewhere/8"})
        result = loop.tell(sqs_event(record["body"], "not JSON", missing, elsewhere))
        assert [one["itemIdentifier"] for one in result["batchItemFailures"]] == ["m1", "m2", "m3"]


def test_failure_of_sns(sandbox, lean, kind):
    """If an event of SNS was not handled, the function fails, and Lambda invokes it again."""
    missing = completed(9, responseParameters={"outputLocation": "s3://sagemaker-emulator/9"})
    with (
        Loop(sandbox, lean, "sns", kind) as loop,
        pytest.raises(FunctionError, match="WaitTimeoutError"),
    ):
        loop.tell(sns_event(missing))


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.stem)
def test_five_lines(path):
    """A function consists of at most five statements, apart from imports and docstrings."""
    tree = ast.parse(path.read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    own = [
        node
        for node in found
        if not isinstance(node, ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert len(own) <= 5


def test_lean_layer_names_what_is_missing(sandbox, lean, service):
    """In the lean layer, `verify_sns` raises an error that mentions cryptography."""
    with sandbox(lean, "app.handler", service.environ) as function:
        assert "cryptography" in function.invoke(job="verify", message=NOTIFICATION)["result"]
