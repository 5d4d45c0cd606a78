"""The async face: each method awaits the core's coroutine of the same name."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import TracebackType
from typing import Self, cast

from sigv4 import Credentials, CredentialsProvider, CredentialsSource

from ._core.operations import Core
from ._face import Face, awaited
from ._io.event_loop import library
from ._io.message import TransportOptions
from ._io.run import is_async
from ._io.system import AsyncIO, TaskLock
from ._io.transport import AsyncTransport, HTTPClient

PlainFunction = Callable[[], Credentials | Awaitable[Credentials]]


class FunctionInThread:
    """
    A plain function that returns credentials, called in a thread, for it may block.

    It is called once at a time in each event loop, as if it were called there: it need not be made for
    threads.  The hop takes some 0.1 ms, which an async function does not cost.
    """

    def __init__(self, function: PlainFunction) -> None:
        self._function = function
        self._lock = TaskLock()

    def get(self) -> Credentials:
        """Return what the function returns."""
        return cast("Credentials", self._function())

    async def aget(self) -> Credentials:
        """Return what the function returns, once those before have theirs."""
        await self._lock.acquire()
        try:
            (credentials,) = await library().in_thread(self._call)
        finally:
            self._lock.release()
        return cast("Credentials", await credentials if isawaitable(credentials) else credentials)

    def _call(self) -> tuple[Credentials | Awaitable[Credentials]]:
        return (self._function(),)  # bare, trio would refuse what is to be awaited


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

    @classmethod
    def _provider(cls, source: CredentialsSource | None) -> CredentialsProvider | None:
        """Have a plain function called in a thread: it may block."""
        provider = super()._provider(source)
        if provider is source or isinstance(source, Credentials) or is_async(source):
            return provider
        return FunctionInThread(cast("PlainFunction", source))

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
