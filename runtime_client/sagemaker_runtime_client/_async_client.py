"""The async face: each method awaits the core's coroutine of the same name."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from ._core import Core
from ._face import Face, awaited
from ._http import TransportOptions
from ._io import AsyncIO
from ._transport import AsyncTransport, HTTPClient


class AsyncSageMakerRuntimeClient(Face):
    """
    Amazon SageMaker asynchronous inference, on asyncio or trio.

        async with AsyncSageMakerRuntimeClient(region="eu-west-1") as client:
            output = await client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = False

    invoke_endpoint_async = awaited(Core.invoke_endpoint_async)
    submit = awaited(Core.submit)
    wait = awaited(Core.wait)
    infer = awaited(Core.infer)
    put_object = awaited(Core.put_object)
    get_object = awaited(Core.get_object)
    head_object = awaited(Core.head_object)
    aclose = awaited(Core.close)

    @staticmethod
    def _io(options: Callable[[], TransportOptions], http_client: HTTPClient | None) -> AsyncIO:
        return AsyncIO(AsyncTransport(options, http_client))

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.aclose()
