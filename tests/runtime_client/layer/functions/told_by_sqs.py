"""A function that handles the result of each job, in as few lines as a user can write."""

from sagemaker_runtime_client import SageMakerRuntimeClient, events, handlers

client = SageMakerRuntimeClient(allowed_locations=["s3://sagemaker-emulator/"])


@handlers.sqs_handler(claims=handlers.S3Claims(client, "s3://sagemaker-emulator/told/"))
def handler(event):
    """Store the model's answer, or the reason of the failure."""
    failed = isinstance(event, events.Failed)
    answer = event.reason if failed else client.fetch(event).text
    client.put_object(f"s3://answers/{event.inference_id}", answer.encode())
