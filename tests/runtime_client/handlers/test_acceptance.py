"""Test handlers with a thousand notifications from each of several servers, under many faults.

The notifications are duplicated and shuffled, and foreign and malformed messages are added.
Functions and stores raise errors, and execution environments are killed; see `delivery`.  Each job
must be handled once, unless its environment ended between the function's return and `done`.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import boto3
import pytest
from botocore.config import Config

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator, ModelFailure, Notifications
from sagemaker_runtime_client.handlers import S3Claims
from sigv4 import Credentials
from tests import moto_server
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.delivery import Delivered, Delivery, announced, copies, drain
from tests.runtime_client.handlers.lambda_events import completed, failed, s3_event

JOBS = 820
OTHER_JOBS = 30
MOTO_USER = Credentials("AKIDEXAMPLE", "unchecked")
OUTPUTS = "s3://sagemaker-emulator/"
ENDPOINT = "my-endpoint"
TOPICS = Notifications(success_topic="results", error_topic="results")
SESSION = boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")
POLICY = """
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage",
    "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}, "Resource": "*"}]}
"""
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


def model(request):
    """Fail for each job whose number is divisible by ten, with a status that depends on the number."""
    number = int(request.body)
    if number % 10 == 0:
        raise ModelFailure(b"no", status_code=400 + number % 100)
    return request.body


def reason(number):
    """Return the reason that the emulator announces for a failed job, or None if the job succeeds."""
    return (
        f"ClientError: Received client error ({400 + number % 100}) from model. See the SageMaker"
        " Endpoint logs in your account for more information."
        if number % 10 == 0
        else None
    )


@pytest.fixture(scope="module")
def emulator():
    """A running emulator that announces the results of inferences in an SNS topic."""
    with Emulator(model, notifications=TOPICS) as running:
        yield running


def connect(service, url, credentials):
    """Return a boto3 client for a service at this URL."""
    return SESSION.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        config=ONE_ATTEMPT,
    )


@pytest.fixture(scope="module")
def notifications(emulator):
    """The messages about a thousand jobs, received from an emulated queue that subscribes to the
    topic.
    """
    sqs, sns = (connect(name, emulator.url, emulator.credentials) for name in ("sqs", "sns"))
    url = sqs.create_queue(QueueName="results")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    topic = sns.create_topic(Name="results")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    with (
        SageMakerRuntimeClient(**settings(emulator)) as client,
        ThreadPoolExecutor(4) as threads,
    ):

        def submit(number):
            body, name = str(number).encode(), f"job-{number}"
            client.invoke_endpoint_async(ENDPOINT, body=body, inference_id=name)

        list(threads.map(submit, range(JOBS)))
    emulator.wait_idle(60)
    found = drain(sqs, url)
    sqs.close()
    sns.close()
    return as_messages(found)


def as_messages(received):
    """Convert messages that boto3 received to `Delivered`, sorted by the job that they announce."""
    messages = [
        Delivered(one["MessageId"], one["Body"], announced(one["Body"])) for one in received
    ]
    return sorted(messages, key=lambda message: message.job)


def noise(random):
    """Return messages that announce no job: those that must fail, and those to be acknowledged."""
    outside = {"outputLocation": "s3://somebody-else/outputs/1.out"}
    # These messages mention existing jobs, but their locations belong to somebody else.
    forged = [completed(n, responseParameters=outside) for n in random.sample(range(JOBS), 20)]
    forged += [
        failed(n, failureLocation="s3://somebody-else/1") for n in random.sample(range(JOBS), 20)
    ]
    for one in forged:
        one["requestParameters"]["endpointName"] = ENDPOINT
    poison = [json.dumps(one) for one in [*forged, {"order": 17}, [], {"Records": []}]]
    poison += ["<xml/>", "", "{", '{"Message": "{"}', "[" * 5000, poison[0][:-1]]
    expected = [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "results"},
        {"Type": "UnsubscribeConfirmation", "Message": "bye"},
        s3_event("k", name="ObjectRemoved:Delete"),
    ]
    return [Delivered(f"poison-{n}", body) for n, body in enumerate(poison)], [
        Delivered(f"expected-{n}", json.dumps(body), is_expected=True)
        for n, body in enumerate(expected * 5)
    ]


def deliver(emulator, messages, seed, name):
    """Deliver messages and noise, check the invariants of every delivery, and return the
    `Delivery`.
    """
    random = Random(seed)
    poison, expected = noise(random)
    jobs = {message.job for message in messages}

    def make_claims(clock):
        client = SageMakerRuntimeClient(**settings(emulator), max_attempts=1)
        claims = S3Claims(client, f"s3://claims/{name}-{seed}/", clock=clock)
        return claims, client.close

    delivery = Delivery(
        random,
        make_claims,
        {"allowed_locations": [OUTPUTS, "s3://results/", "s3://my-bucket/outputs/"]},
        copies(random, [*messages, *expected]) + poison,
        Counter({job: random.randint(1, 2) for job in sorted(jobs) if random.random() < 0.05}),
    )
    delivery.run()
    extra, cut = delivery.extra(), +delivery.cut
    print(
        f"{name}, seed {seed}: {len(jobs)} jobs; {extra.total()} handled again, of {cut.total()} that were"
        f" cut off between the function's return and done; {dict(delivery.counts)}"
    )
    assert delivery.faults == []
    assert set(delivery.results) == jobs
    assert extra <= cut, f"handled again without having been cut off: {extra - cut}"
    assert sorted(message.message_id for message in delivery.messages) == sorted(
        message.message_id for message in poison
    )
    assert all(len(results) == 1 for results in delivery.results.values())
    return delivery


def test_emulator(emulator, notifications):
    """For a thousand emulated jobs, each result is handled with the expected type and reason."""
    delivery = deliver(emulator, notifications, 1, "emulator")
    assert {job: set(results) for job, results in delivery.results.items()} == {
        f"job-{number}": {("Failed" if reason(number) else "Completed", reason(number))}
        for number in range(JOBS)
    }
    assert min(delivery.counts.values()) > 0
    assert (+delivery.cut).total() > 0


def deliver_to_queue(server, credentials, prefix):
    """Publish notifications through SNS, write objects that S3 announces, and return the messages.

    Args:
        server: The URL of a server for S3, SNS and SQS.
        credentials: Credentials that the server accepts.
        prefix: The beginning of each job's name.
    """
    sqs, sns, s3 = (connect(name, server, credentials) for name in ("sqs", "sns", "s3"))
    url = sqs.create_queue(QueueName="results", Attributes={"Policy": POLICY})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    for name, is_raw in (("wrapped", "false"), ("raw", "true")):
        topic = sns.create_topic(Name=name)["TopicArn"]
        attributes = {"RawMessageDelivery": is_raw}
        endpoint = arn["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
        for number in range(OTHER_JOBS):
            job = f"{prefix} {name} {number}"
            sns.publish(TopicArn=topic, Message=json.dumps(notification(number, job)))
    s3.create_bucket(Bucket="results")
    queue = {"QueueArn": arn["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="results", NotificationConfiguration={"QueueConfigurations": [queue]}
    )
    for number in range(OTHER_JOBS):
        s3.put_object(Bucket="results", Key=f"{prefix} object+{number}", Body=b"x")
    found = drain(sqs, url)
    for client in (sqs, sns, s3):
        client.close()
    return [one for one in found if "s3:TestEvent" not in one["Body"]]


def notification(number, job):
    """Return a SageMaker notification about *job*; it reports a failure if ten divides *number*."""
    document = failed(number) | {"failureReason": f"no {job}"} if number % 10 == 0 else completed()
    return document | {"inferenceId": job}


@pytest.fixture
def moto():
    """The URL of a moto server that runs in another process."""
    with moto_server.running() as url:
        yield url


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_other_servers(emulator, request, name):
    """Each job that moto or ministack announces through SNS or S3 is handled as the expected type."""
    server = request.getfixturevalue(name)
    url, credentials = (server.url, server.user) if name == "ministack" else (server, MOTO_USER)
    received = deliver_to_queue(url, credentials, name)
    delivery = deliver(emulator, as_messages(received), 3, name)
    kinds = Counter(kind for results in delivery.results.values() for kind, _ in results)
    assert kinds == {
        "Completed": 2 * OTHER_JOBS * 9 // 10,
        "Failed": 2 * OTHER_JOBS // 10,
        "ObjectCreated": OTHER_JOBS,
    }
    assert {
        job: why
        for job, results in delivery.results.items()
        for _, why in results
        if why is not None
    } == {
        job: f"no {job}"
        for number in range(0, OTHER_JOBS, 10)
        for job in (f"{name} wrapped {number}", f"{name} raw {number}")
    }
