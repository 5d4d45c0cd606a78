"""The same function as in `submitter`, with an async client."""

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, handlers

client = AsyncSageMakerRuntimeClient(allowed_locations=["s3://sagemaker-emulator/"])


@handlers.sqs_submitter(
    client, "my-endpoint", claims=handlers.S3Claims(client, "s3://sagemaker-emulator/submitted/")
)
async def handler(message):
    """Return the input of the job."""
    return message.body.encode()
