"""Test the event notifications of the emulated S3."""

import json

import pytest

from sagemaker_runtime_client import events
from sagemaker_runtime_client.emulator import Emulator, Faults, Notifications
from tests.emulator.messaging.boto_queue import BotoQueue, subscribed_queue

KEY = "a b/ü+c.out"


def object_queue(boto, emulator):
    """Return the queue to which S3 sends its notifications."""
    sqs = boto("sqs", emulator)
    return BotoQueue(sqs, sqs.get_queue_url(QueueName="objects")["QueueUrl"])


@pytest.mark.parametrize(("raw_keys", "key"), [(False, "a+b/%C3%BC%2Bc.out"), (True, KEY)])
def test_shape(boto, raw_keys, key):
    """A notification has the fields of a real one; the key is encoded unless raw_keys is true."""
    notifications = Notifications(object_queue="objects", objects=["s3://"], raw_keys=raw_keys)
    with Emulator(notifications=notifications) as emulator:
        boto("s3", emulator).put_object(Bucket="bucket", Key=KEY, Body=b"body")
        (body,) = object_queue(boto, emulator).bodies()
        stored = emulator.objects.get(f"s3://bucket/{KEY}")
    (record,) = json.loads(body)["Records"]
    assert record["s3"]["object"].pop("sequencer") == "000000000000000001"
    assert (record["eventVersion"], record["eventSource"]) == ("2.1", "aws:s3")
    assert (record["eventName"], record["awsRegion"]) == ("ObjectCreated:Put", "us-east-1")
    assert record["s3"]["bucket"]["arn"] == "arn:aws:s3:::bucket"
    assert record["s3"]["object"] == {"key": key, "size": 4, "eTag": stored.etag.strip('"')}
    (event,) = events.parse(body)
    assert f"s3://bucket/{KEY}" in event.locations


def test_upload_in_parts(boto):
    """An object that is uploaded in parts is announced once, after the upload is completed."""
    notifications = Notifications(object_queue="objects", objects=["s3://"])
    with Emulator(notifications=notifications) as emulator:
        s3 = boto("s3", emulator)
        place = {"Bucket": "bucket", "Key": "key"}
        upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
        tag = s3.upload_part(**upload, PartNumber=1, Body=b"body")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        s3.complete_multipart_upload(**upload, MultipartUpload=parts)
        (body,) = object_queue(boto, emulator).bodies()
    (record,) = json.loads(body)["Records"]
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert record["s3"]["object"]["size"] == 4


def test_outputs_and_failures(boto):
    """By default, outputs and failure objects are announced, but no other objects."""
    notifications = Notifications(object_queue="objects")
    with Emulator(
        lambda request: int(request.body) * b"x", notifications=notifications
    ) as emulator:
        runtime = boto("sagemaker-runtime", emulator)
        emulator.objects.put("s3://bucket/in", b"1")
        accepted = runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://bucket/in")
        refused = runtime.invoke_endpoint_async(EndpointName="e", Body=b"no number")
        emulator.wait_idle()
        found = [events.parse(body)[0].location for body in object_queue(boto, emulator).bodies()]
    assert sorted(found) == sorted([accepted["OutputLocation"], refused["FailureLocation"]])


def test_topic(boto):
    """With an object_topic, S3 publishes its notifications to the topic, where a fault can lose
    one.
    """
    notifications = Notifications(object_topic="topic", objects=["s3://bucket/out/"])
    with Emulator(notifications=notifications) as emulator:
        queue = subscribed_queue(boto, emulator, "topic")
        emulator.objects.put("s3://bucket/out/1", b"")
        emulator.objects.put("s3://bucket/in/1", b"")
        emulator.faults.once(Faults.LOST, on="Publish")
        emulator.objects.put("s3://bucket/out/2", b"")
        (message,) = queue.messages()
    assert message["Records"][0]["s3"]["object"]["key"] == "out/1"


def test_lost_duplicated_and_undeliverable_notifications(boto):
    """A notification to a queue can be lost or duplicated, and is lost if the queue was deleted."""
    notifications = Notifications(object_queue="objects", objects=["s3://"])
    with Emulator(notifications=notifications) as emulator:
        queue = object_queue(boto, emulator)
        emulator.faults.once(Faults.LOST, on="SendMessage")
        emulator.objects.put("s3://bucket/1", b"")
        emulator.faults.once(Faults.DUPLICATED, on="SendMessage")
        emulator.objects.put("s3://bucket/2", b"")
        keys = [json.loads(body)["Records"][0]["s3"]["object"]["key"] for body in queue.bodies()]
        queue.sqs.delete_queue(QueueUrl=queue.url)
        emulator.objects.put("s3://bucket/3", b"")
    assert keys == ["2", "2"]


def test_older_objects(boto):
    """An object that is written with an older modification time is not announced."""
    notifications = Notifications(object_queue="objects", objects=["s3://"])
    with Emulator(notifications=notifications) as emulator:
        older = emulator.objects.put("s3://bucket/1", b"").last_modified
        emulator.objects.put("s3://bucket/2", b"", last_modified=older)
        assert len(object_queue(boto, emulator).bodies()) == 1
