"""A function that submits each message of a queue, in as few lines as a user can write."""

from sagemaker_runtime_client import SageMakerRuntimeClient, handlers

client = SageMakerRuntimeClient(allowed_locations=["s3://sagemaker-emulator/"])


@handlers.sqs_submitter(
    client, "my-endpoint", claims=handlers.S3Claims(client, "s3://sagemaker-emulator/submitted/")
)
def handler(message):
    """Return the input of the job."""
    return message.body.encode()
