"""Calls model containers over HTTP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .values import (
    DEFAULT_CONTENT_TYPE,
    ModelFailure,
    ModelRequest,
    ModelResponse,
    container_error,
)

if TYPE_CHECKING:
    import httpx


class ContainerRunner:
    """Calls a model container with ``POST /invocations``, as SageMaker does.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, request: ModelRequest) -> "ContainerOutput":
        """Return the container's response; raise ModelFailure if its status is not 2xx."""
        import httpx

        if self._client is None:
            # The client has no timeout, because the emulator limits the time of each inference.  It
            # uses no proxy, because the container is assumed to be local.
            self._client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113
        try:
            request_to_send = self._client.build_request(
                "POST",
                f"{self._url}/invocations",
                content=request.body,
                headers=_container_headers(request),
            )
            response = await self._client.send(request_to_send, stream=True)
            if not response.is_success:
                await response.aread()
        except Exception as error:  # noqa: BLE001 (an invalid port raises an exception group)
            raise _unreachable(self._url, error) from None
        if not response.is_success:
            raise container_error(response.status_code, response.text)
        return ContainerOutput(self._url, response)

    async def aclose(self) -> None:
        """Close the connections to the container."""
        if self._client is not None:
            await self._client.aclose()

    def join(self, timeout: float) -> None:
        """Do nothing, because there are no threads."""


class ContainerOutput:
    """The response of a container, whose parts are the pieces that arrive."""

    def __init__(self, url: str, response: "httpx.Response") -> None:
        self._url = url
        self._response = response
        self._parts = response.aiter_bytes()
        self.head = ModelResponse(
            b"",
            response.headers.get("content-type", DEFAULT_CONTENT_TYPE),
            response.headers.get("x-amzn-sagemaker-custom-attributes"),
            "x-amzn-sagemaker-closed-session-id" in response.headers,
        )

    async def next_part(self) -> bytes | None:
        """Return the next piece of the body; raise ModelFailure if the connection breaks."""
        try:
            return await anext(self._parts, None)
        except Exception as error:  # noqa: BLE001 (any failure of the connection)
            raise _unreachable(self._url, error) from None

    async def aclose(self) -> None:
        """Release the connection, or close it if the body is incomplete."""
        await self._response.aclose()


def _unreachable(url: str, error: Exception) -> ModelFailure:
    """Return the failure for a container that cannot be reached or closes the connection early."""
    return ModelFailure(f"Could not reach the model at {url}: {type(error).__name__}")


def _container_headers(request: ModelRequest) -> Mapping[str, str]:
    """Return the headers of a request to a container, without those whose value is None."""
    headers = {
        "content-type": request.content_type,
        "accept": request.accept,
        "x-amzn-sagemaker-custom-attributes": request.custom_attributes,
        "x-amzn-sagemaker-inference-id": request.inference_id,
        "x-amzn-sagemaker-session-id": request.session_id,
    }
    return {name: value for name, value in headers.items() if value is not None}
