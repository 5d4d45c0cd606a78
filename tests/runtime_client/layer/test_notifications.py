"""Tests of Lambda functions that submit jobs and handle their results, under AWS's runtime client.

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
    """Return the request in capitals, or fail if the request is ``fail``."""
    if request.body == b"fail":
        raise ModelFailure(b"no")
    return request.body.upper()


class Loop:
    """The emulator with two functions: one submits jobs, and the other handles their notifications."""

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
        """Invoke the submitting function, wait until all notifications were handled, and return its
        result.
        """
        result = self._submitter.invoke(**sqs_event(*bodies))
        self.emulator.wait_idle(60)
        return result

    def tell(self, event):
        """Pass an event to the function that handles notifications, and return its result."""
        return self._told.invoke(**event)

    def answer(self, number):
        """Return the stored answer to the message with this number."""
        name = Message("", f"m{number}", QUEUE).job_name
        return self.emulator.objects.get(f"s3://answers/{name}").body.decode()

    @property
    def stored(self):
        """How often the functions have stored an answer."""
        return sum("/answers/" in one.target for one in self.emulator.requests)


@pytest.fixture(params=[spec for spec in SPECS.values() if (spec.variant, spec.sourceless) == LEAN])
def lean(request, unpacked):
    """The lean layer for each Python version under test."""
    return unpacked(request.param)


@pytest.fixture(params=KINDS, ids=["blocking", "async"])
def kind(request):
    """The suffix of the functions' names: empty for the blocking client, ``_async`` for the async
    one.
    """
    return request.param


@pytest.mark.parametrize("source", ["sqs", "sns"])
def test_whole_loop(sandbox, layer, source, kind):
    """If messages and notifications are delivered twice, each message is still answered only once."""
    with Loop(sandbox, layer, source, kind) as loop:
        for _ in range(2):
            assert loop.submit("one", "fail", "two") == {"batchItemFailures": []}
        for call in loop.emulator.function_calls:
            assert loop.tell(call.event) == call.result
        answers = [loop.answer(number) for number in range(3)]
        assert (len(loop.emulator.jobs), loop.stored) == (3, 3)
    assert answers == ["ONE", REASON, "TWO"]


def test_partial_batch(sandbox, lean, kind):
    """The response to an SQS batch lists exactly the messages that were not handled."""
    with Loop(sandbox, lean, "sqs", kind) as loop:
        loop.submit("one")
        (call,) = loop.emulator.function_calls
        (record,) = call.event["Records"]
        missing = completed(9, responseParameters={"outputLocation": "s3://sagemaker-emulator/9"})
        elsewhere = completed(8, responseParameters={"outputLocation": "s3://elsewhere/8"})
        result = loop.tell(sqs_event(record["body"], "not JSON", missing, elsewhere))
        assert [one["itemIdentifier"] for one in result["batchItemFailures"]] == ["m1", "m2", "m3"]


def test_failure_of_sns(sandbox, lean, kind):
    """If a function cannot handle an SNS event, it fails, so that Lambda invokes it again."""
    missing = completed(9, responseParameters={"outputLocation": "s3://sagemaker-emulator/9"})
    with (
        Loop(sandbox, lean, "sns", kind) as loop,
        pytest.raises(FunctionError, match="WaitTimeoutError"),
    ):
        loop.tell(sns_event(missing))


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.stem)
def test_five_lines(path):
    """Each function consists of at most five statements, not counting imports and docstrings."""
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
