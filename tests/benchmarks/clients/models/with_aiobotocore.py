from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiobotocore.session import get_session

from models.reading import ENDPOINT, aread


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[str, str], Awaitable[object]]]:
    """Yield a function that makes one call."""
    async with get_session().create_client("sagemaker-runtime", endpoint_url=url) as client:

        async def call(operation: str, text: str) -> object:
            body = text.encode()
            if operation == "invoke":
                output = await client.invoke_endpoint(EndpointName=ENDPOINT, Body=body)
                return len(await output["Body"].read())
            stream = await client.invoke_endpoint_with_response_stream(
                EndpointName=ENDPOINT, Body=body
            )
            events = stream["Body"]
            return await aread((event["PayloadPart"]["Bytes"] async for event in events), body)

        yield call
