"""Runs models, which are Python functions or model containers."""

from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from inspect import iscoroutinefunction
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol, cast

from attrs import field, frozen

if TYPE_CHECKING:
    import httpx

DEFAULT_CONTENT_TYPE = "application/octet-stream"


@frozen
class ModelRequest:
    """The input of a model.

    Attributes:
        body: The payload, which is the inline body or the content of the input object.
        content_type: The MIME type of the body; None if the caller did not specify it.
        accept: The requested MIME type of the output; None if the caller did not specify it.
        custom_attributes: The caller's custom attributes; None if there are none.
        endpoint_name: The name of the endpoint that was invoked, or of the routing target.
        inference_id: The caller's inference ID, or one that the emulator generated.
        session_id: The ID of the session; None if the caller did not specify one.
        cancelled: An event that is set when the model function has returned, the invocation has
            timed out or the emulator stops.  A function that blocks should wait for this event.
    """

    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = field(default=None, repr=False)
    endpoint_name: str = "endpoint"
    inference_id: str = ""
    session_id: str | None = None
    cancelled: Event = field(factory=Event, eq=False, repr=False)


@frozen
class ModelResponse:
    """The output of a model: the content of the output object, or the response of a synchronous call.

    Attributes:
        body: The content.
        content_type: The MIME type of the content.
        custom_attributes: The custom attributes, which only a synchronous call returns.
    """

    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str = DEFAULT_CONTENT_TYPE
    custom_attributes: str | None = field(default=None, repr=False)


class ModelFailure(Exception):  # noqa: N818 (it carries the content of the failure object)
    """The inference failed.  Raise it in a model to choose the content of the failure object.

    Attributes:
        body: The content of the failure object.
        content_type: The MIME type of the content.
        status_code: The container's status, which a synchronous call returns with `message`.
    """

    def __init__(
        self,
        body: bytes | str,
        content_type: str = "text/plain; charset=utf-8",
        *,
        status_code: int = 500,
        message: str | None = None,
    ) -> None:
        super().__init__(body, content_type)
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type
        self.status_code = status_code
        self.message = self.body.decode("utf-8", "replace") if message is None else message


ModelResult = bytes | str | tuple[bytes, str] | ModelResponse
ModelFunction = Callable[[ModelRequest], ModelResult]
Model = ModelFunction | str


class Runner(Protocol):
    """The interface through which the queue calls a model."""

    def __call__(self, request: ModelRequest, /) -> Awaitable[ModelResponse]:
        """Return the model's output.  Any failure is raised as `ModelFailure`."""
        ...

    async def aclose(self) -> None:
        """Release the model's resources before the event loop ends."""
        ...


def echo(request: ModelRequest) -> ModelResponse:
    """Return the payload unchanged.  This is the default model."""
    return ModelResponse(request.body, request.content_type or DEFAULT_CONTENT_TYPE)


def make_runner(model: Model) -> "FunctionRunner | ContainerRunner":
    """Return the runner for a model.

    Args:
        model: A function; ``"module:function"``, which is imported; or the ``http://`` or
            ``https://`` address of a model container.

    Raises:
        Exception: Any exception that `import_model` raises.
    """
    model = import_model(model)
    return ContainerRunner(model.rstrip("/")) if isinstance(model, str) else FunctionRunner(model)


def import_model(model: Model) -> Model:
    """Return the function of a model, which is imported if *model* is ``"module:function"``.

    Args:
        model: As for `make_runner`.

    Returns:
        The function; the address of a container is returned unchanged.

    Raises:
        ValueError: *model* has none of these forms, or is a coroutine function.
        ImportError: The module does not exist.
        AttributeError: The module has no such function.
    """
    if not isinstance(model, str):
        return _check_callable(model)
    if model.startswith(("http://", "https://")):
        return model
    module, colon, name = model.partition(":")
    if not (module and colon and name):
        raise ValueError(
            "model must be a function, 'module:function' or the http(s) address of a container, "
            f"not {model!r}"
        )
    return _check_callable(getattr(import_module(module), name))


def _check_callable(function: Any) -> ModelFunction:
    """Return *function*, after checking that it is callable and not a coroutine function."""
    if not callable(function):
        raise ValueError(  # noqa: TRY004 (every wrong model is a ValueError)
            f"model must be callable, not {type(function).__name__}"
        )
    if iscoroutinefunction(function):
        raise ValueError(f"model must not be a coroutine function: {function!r}")
    return cast("ModelFunction", function)


class FunctionRunner:
    """Runs a function as a model, in a new thread for each call, so that the function may block.

    The threads are daemons, because Python cannot end a thread, and a model that ignores
    `ModelRequest.cancelled` must not keep the process alive.
    """

    def __init__(self, function: ModelFunction) -> None:
        self._function = function
        self._threads: set[Thread] = set()

    async def __call__(self, request: ModelRequest) -> ModelResponse:
        """Return the output of the function; any exception that it raises fails the inference."""
        loop = get_running_loop()
        done: Future[ModelResponse] = loop.create_future()

        def finish(result: ModelResponse | ModelFailure) -> None:
            if not done.done():  # the future is done if the invocation was cancelled
                if isinstance(result, ModelResponse):
                    done.set_result(result)
                else:
                    done.set_exception(result)

        def run() -> None:
            result = self._call_function(request)
            with suppress(RuntimeError):  # raised if the event loop has ended
                loop.call_soon_threadsafe(finish, result)

        thread = Thread(target=run, name="sagemaker-emulator-model", daemon=True)
        self._threads = {other for other in self._threads if other.is_alive()} | {thread}
        thread.start()
        try:
            return await done
        finally:
            request.cancelled.set()

    def _call_function(self, request: ModelRequest) -> ModelResponse | ModelFailure:
        """Call the function, and return its output or, if it raises an exception, the failure."""
        try:
            return _to_response(self._function(request))
        except ModelFailure as failure:
            return failure
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a model may raise anything)
            return _container_error(500, f"{type(error).__name__}: {error}")

    async def aclose(self) -> None:
        """Do nothing, because `join` waits for the threads outside the event loop."""

    def join(self, timeout: float) -> None:
        """Wait for each running thread to end, for at most *timeout* seconds each."""
        for thread in self._threads:
            thread.join(timeout)


def _to_response(result: Any) -> ModelResponse:
    """Convert the return value of a model to a `ModelResponse`."""
    match result:
        case ModelResponse():
            if not (result.content_type.isascii() and result.content_type.isprintable()):
                raise ValueError(
                    f"the content type of a model must be printable ASCII, not {result.content_type!r}"
                )
            attributes = result.custom_attributes or ""
            if not (attributes.isascii() and attributes.isprintable()):
                raise ValueError("the custom attributes of a model must be printable ASCII")
            return result
        case bytes():
            return ModelResponse(result)
        case str():
            return ModelResponse(result.encode(), "text/plain; charset=utf-8")
        case (bytes() as body, str() as content_type):
            return _to_response(ModelResponse(body, content_type))
        case _:
            raise TypeError(
                "a model must return bytes, str, (bytes, content type) or ModelResponse, "
                f"not {type(result).__name__}"
            )


def _container_error(status: int, message: str) -> ModelFailure:
    """Return the failure that SageMaker reports if a container responds with an error status."""
    return ModelFailure(container_message(status, message), status_code=status, message=message)


def container_message(status: int, message: str) -> str:
    """Return SageMaker's message about an error response of a container."""
    side = "client" if 0 < status < 500 else "server"
    return f'Received {side} error ({status}) from model with message "{message}"'


class ContainerRunner:
    """Calls a model container with ``POST /invocations``, as SageMaker does.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: "httpx.AsyncClient | None" = None

    async def __call__(self, request: ModelRequest) -> ModelResponse:
        """Return the container's response; without a 2xx response, the inference fails."""
        import httpx

        if self._client is None:
            # The client has no timeout, because the queue limits the time, and uses no proxy,
            # because the container is assumed to be local.
            self._client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113
        try:
            response = await self._client.post(
                f"{self._url}/invocations",
                content=request.body,
                headers=_container_headers(request),
            )
        except Exception as error:  # noqa: BLE001 (an invalid port raises an exception group)
            raise ModelFailure(
                f"Could not reach the model at {self._url}: {type(error).__name__}"
            ) from None
        if not response.is_success:
            raise _container_error(response.status_code, response.text)
        content_type = response.headers.get("content-type", DEFAULT_CONTENT_TYPE)
        attributes = response.headers.get("x-amzn-sagemaker-custom-attributes")
        return ModelResponse(response.content, content_type, attributes)

    async def aclose(self) -> None:
        """Close the connections to the container."""
        if self._client is not None:
            await self._client.aclose()

    def join(self, timeout: float) -> None:
        """Do nothing, because there are no threads."""


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
