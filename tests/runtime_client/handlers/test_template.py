"""Test the resources in the CloudFormation template, and the code of its functions."""

from collections import Counter
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint_file
from cfnlint.decode import cfn_yaml

from sagemaker_runtime_client.emulator import Emulator, ModelFailure, Notifications
from sagemaker_runtime_client.handlers import Message
from tests.readmes import CLIENT_README
from tests.runtime_client.handlers.lambda_events import QUEUE, Context, sqs_event

TEMPLATE = CLIENT_README.parent / "notifications.yaml"
FUNCTIONS = {"Submit": "Jobs", "Told": "Results"}
# The IAM action that permits each operation of the emulator.
ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "InvokeEndpointAsync": "sagemaker:InvokeEndpointAsync",
    "PutObject": "s3:PutObject",
}
NAMES = {
    "${Bucket}": "my-bucket",
    "${Endpoint.EndpointName}": "my-endpoint",
    "${Results.Arn}": "arn:aws:sqs:us-east-1:000000000000:sagemaker-emulator-function",
}


@pytest.fixture(scope="module")
def resources():
    """The properties of each resource in the template, keyed by the resource's name."""
    template = cfn_yaml.load(str(TEMPLATE))
    return {name: one.get("Properties") for name, one in template["Resources"].items()}


def test_lint():
    """cfn-lint reports nothing for the template, not even an informational remark."""
    assert lint_file(Path(TEMPLATE), config=ManualArgs(include_checks=["I"])) == []


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS.items())
def test_queue(resources, function, queue):
    """Each queue hides messages for six times its function's timeout, and has a dead-letter queue."""
    assert resources[queue]["VisibilityTimeout"] == 6 * resources[function]["Timeout"]
    assert resources[queue]["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"Dead{queue}", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert resources[f"{function}Mapping"] == {
        "FunctionName": {"Ref": function},
        "EventSourceArn": {"Fn::GetAtt": [queue, "Arn"]},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_claims_outlive_messages(resources):
    """Claims are deleted only after the dead-letter queues have deleted their messages."""
    rules = {rule["Id"]: rule for rule in resources["Bucket"]["LifecycleConfiguration"]["Rules"]}
    assert rules["claims"]["Prefix"] == "claims/"
    days = [
        resources[f"Dead{queue}"]["MessageRetentionPeriod"] / 86400 for queue in FUNCTIONS.values()
    ]
    assert rules["claims"]["ExpirationInDays"] > max(days)


def test_only_the_topics_may_send(resources):
    """The endpoint notifies both topics, and only these topics may send messages to the queue."""
    outputs = resources["EndpointConfig"]["AsyncInferenceConfig"]["OutputConfig"]
    topics = [{"Ref": "SuccessTopic"}, {"Ref": "ErrorTopic"}]
    assert outputs["NotificationConfig"] == {
        "SuccessTopic": topics[0],
        "ErrorTopic": topics[1],
        "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"],
    }
    (statement,) = resources["ResultsPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topics}}


def handler(resources, name):
    """Return the handler of a function in the template, which uses the names of emulated resources."""
    code = resources[name]["Code"]["ZipFile"]["Fn::Sub"]
    for placeholder, value in NAMES.items():
        code = code.replace(placeholder, value)
    assert "${" not in code
    space = {}
    exec(compile(code, name, "exec"), space)
    return space["handler"]


def granted(resources):
    """Return the permissions of the functions, as pairs of an action and a folder or resource."""
    pairs = set()
    for name in FUNCTIONS:
        (policy,) = resources[f"{name}Role"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            (resource,) = statement["Resource"].values()
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                pairs.add((action, str(resource).removeprefix("${Bucket.Arn}/").removesuffix("*")))
    return pairs


def folder(target):
    """Return the folder of an object, or "Endpoint" for the endpoint."""
    if target.startswith("/endpoints/"):
        return "Endpoint"
    return target.removeprefix("/my-bucket/").rpartition("/")[0] + "/"


def shout(request):
    """Return the request in capitals, or fail if the request is ``fail``."""
    if request.body == b"fail":
        raise ModelFailure(b"no")
    return request.body.upper()


def test_functions(resources, monkeypatch, capsys):
    """The template's functions submit each message once and print each result once."""
    told = []

    def notify(event, context):
        return told[0](event, context)

    notifications = Notifications(
        success_topic="success",
        error_topic="error",
        include_inference_response_in=["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"],
    )
    with Emulator(
        shout,
        output_path="s3://my-bucket/outputs/",
        notifications=notifications,
        notify=notify,
        notify_by="sqs",
    ) as emulator:
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        submit = handler(resources, "Submit")
        told.append(handler(resources, "Told"))
        event = sqs_event("one", "fail", "x" * 130_000)
        for _ in range(2):
            assert submit(event, Context()) == {"batchItemFailures": []}
            emulator.wait_idle()
        for call in emulator.function_calls:
            assert call.result == told[0](call.event, Context()) == {"batchItemFailures": []}
        requests = emulator.requests
    ids = [Message("", f"m{number}", QUEUE).job_name for number in range(3)]
    printed = [line.split(" ", 1) for line in capsys.readouterr().out.splitlines()]
    assert sorted(one for one, _ in printed) == sorted(ids)
    answers = dict(printed)
    assert (answers[ids[0]], answers[ids[2]]) == ("ONE", "X" * 130_000)
    assert answers[ids[1]].startswith("Received server error (500) from model")
    assert Counter(one.operation for one in requests)["InvokeEndpointAsync"] == 3
    used = {(ACTIONS[one.operation], folder(one.target)) for one in requests}
    assert used <= granted(resources)
