"""The blocking face: each method steps the core's coroutine of the same name."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from ._core.operations import Core
from ._face import Face, blocking
from ._io.message import TransportOptions
from ._io.system import BlockingIO
from ._io.transport import BlockingTransport, HTTPClient


class SageMakerRuntimeClient(Face):
    """
    Amazon SageMaker asynchronous inference, blocking.

        with SageMakerRuntimeClient(region="eu-west-1") as client:
            output = client.infer("my-endpoint", b"1,2,3", timeout=600)
    """

    _is_blocking = True

    invoke_endpoint_async = blocking(Core.invoke_endpoint_async)
    submit = blocking(Core.submit)
    wait = blocking(Core.wait)
    infer = blocking(Core.infer)
    put_object = blocking(Core.put_object)
    get_object = blocking(Core.get_object)
    head_object = blocking(Core.head_object)
    close = blocking(Core.close)

    @staticmethod
    def _io(options: Callable[[], TransportOptions], http_client: HTTPClient | None) -> BlockingIO:
        return BlockingIO(BlockingTransport(options, http_client))

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
