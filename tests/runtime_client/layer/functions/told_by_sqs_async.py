"""The same function as in `told_by_sqs`, with an async client."""

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, events, handlers

client = AsyncSageMakerRuntimeClient(allowed_locations=["s3://sagemaker-emulator/"])


@handlers.sqs_handler(claims=handlers.S3Claims(client, "s3://sagemaker-emulator/told/"))
async def handler(event):
    """Store the model's answer, or the reason of the failure."""
    failed = isinstance(event, events.Failed)
    answer = event.reason if failed else (await client.fetch(event)).text
    await client.put_object(f"s3://answers/{event.inference_id}", answer.encode())
