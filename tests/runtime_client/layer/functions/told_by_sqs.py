"""A function that is told the result of each job, in the fewest lines that a user must write."""

from sagemaker_runtime_client import SageMakerRuntimeClient, events, handlers

client = SageMakerRuntimeClient(allowed_locations=["s3://sagemaker-emulator/"])


@handlers.sqs_handler(claims=handlers.S3Claims(client, "s3://sagemaker-emulator/told/"))
def handler(event):
    """Store the answer, or why there is none."""
    failed = isinstance(event, events.Failed)
    answer = event.reason if failed else client.fetch(event).text
    client.put_object(f"s3://answers/{event.inference_id}", answer.encode())
