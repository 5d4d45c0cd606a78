"""What stands for the model: a Python function, or a container that SageMaker would run."""

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
    """
    What a model is asked.

    Attributes:
        body: The payload: the inline body, or what lay at the input location.
        content_type: Its MIME type, if the caller named one.
        accept: What the caller wants back, if it said so.
        custom_attributes: What the caller passes to the model.
        endpoint_name: The endpoint that was invoked; one function may serve several.
        inference_id: The caller's name for the inference, or the emulator's.
        cancelled: Is set when nobody waits any more: the invocation ran out of time, or the
            emulator stops.  A model that blocks should block on this.
    """

    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = field(default=None, repr=False)
    endpoint_name: str = "endpoint"
    inference_id: str = ""
    cancelled: Event = field(factory=Event, eq=False, repr=False)


@frozen
class ModelResponse:
    """
    What a model answers; it becomes the output object as it is.

    Attributes:
        body: The bytes.
        content_type: Their MIME type.
    """

    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str = DEFAULT_CONTENT_TYPE


class ModelFailure(Exception):  # noqa: N818 (the failure object's exception, not an error of ours)
    """
    The inference failed; raise it in a model to choose what the failure object holds.

    Attributes:
        body: What it holds.
        content_type: Its MIME type.
    """

    def __init__(self, body: bytes | str, content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(body, content_type)
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type


Answer = bytes | str | tuple[bytes, str] | ModelResponse
ModelFunction = Callable[[ModelRequest], Answer]
Model = ModelFunction | str


class Runner(Protocol):
    """A model in the shape in which the queue runs it."""

    def __call__(self, request: ModelRequest, /) -> Awaitable[ModelResponse]:
        """Return the answer, or raise `ModelFailure` and nothing else."""
        ...

    async def aclose(self) -> None:
        """Let go of what the model holds; the loop is about to end."""
        ...


def echo(request: ModelRequest) -> ModelResponse:
    """Answer with what was asked: the model of those who name none."""
    return ModelResponse(request.body, request.content_type or DEFAULT_CONTENT_TYPE)


def runner_of(model: Model) -> "FunctionRunner | ContainerRunner":
    """
    Return the runner of a model.

    Args:
        model: A function; ``"module:function"``, to be imported; or the ``http://`` or
            ``https://`` address of a model container.

    Raises:
        ValueError: It is none of these.
        ImportError: There is no such module.
        AttributeError: It has no such function.
    """
    model = imported(model)
    return ContainerRunner(model.rstrip("/")) if isinstance(model, str) else FunctionRunner(model)


def imported(model: Model) -> Model:
    """Return the function that ``"module:function"`` names; an address as it is; see `runner_of`."""
    if not isinstance(model, str):
        return _plain(model)
    if model.startswith(("http://", "https://")):
        return model
    module, colon, name = model.partition(":")
    if not (module and colon and name):
        raise ValueError(
            "model must be a function, 'module:function' or the address of a container, "
            f"not {model!r}"
        )
    return _plain(getattr(import_module(module), name))


def _plain(function: Any) -> ModelFunction:
    """Return a function that can be called in a thread; refuse anything else at the start."""
    if not callable(function) or iscoroutinefunction(function):
        raise ValueError(f"model must be a plain function, not {function!r}")
    return cast("ModelFunction", function)


class FunctionRunner:
    """
    A function as a model: each call has a thread, so that it may block.

    The threads are daemons: Python offers no way to end one, and a model that ignores
    `ModelRequest.cancelled` must not keep the process alive.
    """

    def __init__(self, function: ModelFunction) -> None:
        self._function = function
        self._threads: set[Thread] = set()

    async def __call__(self, request: ModelRequest) -> ModelResponse:
        """Return the function's answer; whatever it raises is a failed inference."""
        loop = get_running_loop()
        done: Future[ModelResponse] = loop.create_future()

        def finish(answer: ModelResponse | ModelFailure) -> None:
            if not done.done():  # as it is once nobody waits
                if isinstance(answer, ModelResponse):
                    done.set_result(answer)
                else:
                    done.set_exception(answer)

        def run() -> None:
            answer = self._answer(request)
            with suppress(RuntimeError):  # the loop ended first
                loop.call_soon_threadsafe(finish, answer)

        thread = Thread(target=run, name="sagemaker-emulator-model", daemon=True)
        self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        thread.start()
        try:
            return await done
        finally:
            request.cancelled.set()

    def _answer(self, request: ModelRequest) -> ModelResponse | ModelFailure:
        """Return what the function answers, or how it failed."""
        try:
            return _response(self._function(request))
        except ModelFailure as failure:
            return failure
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a model may raise anything)
            return _server_error(500, f"{type(error).__name__}: {error}")

    async def aclose(self) -> None:
        """Do nothing: threads are waited for by `join`, outside the loop."""

    def join(self, timeout: float) -> None:
        """Wait for threads that are still about, *timeout* seconds for each at most."""
        for thread in self._threads:
            thread.join(timeout)


def _response(answer: Any) -> ModelResponse:
    """Return a function's answer in full."""
    match answer:
        case ModelResponse():
            if not (answer.content_type.isascii() and answer.content_type.isprintable()):
                raise ValueError("a content type must be printable ASCII")
            return answer
        case bytes():
            return ModelResponse(answer)
        case str():
            return ModelResponse(answer.encode(), "text/plain; charset=utf-8")
        case (bytes() as body, str() as content_type):
            return _response(ModelResponse(body, content_type))
        case _:
            raise TypeError(
                "a model returns bytes, str, (bytes, content type) or ModelResponse, "
                f"not {type(answer).__name__}"
            )


def _server_error(status: int, message: str) -> ModelFailure:
    """Return a failure in the words in which SageMaker reports a container's."""
    side = "server" if status >= 500 else "client"
    return ModelFailure(f'Received {side} error ({status}) from model with message "{message}"')


class ContainerRunner:
    """
    A model container, called as SageMaker calls it: ``POST /invocations``.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: "httpx.AsyncClient | None" = None

    async def __call__(self, request: ModelRequest) -> ModelResponse:
        """Return the container's answer; any status but 2xx is a failed inference."""
        import httpx

        if self._client is None:
            # The queue bounds the time; the container is this machine's, not a proxy's.
            self._client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113
        try:
            answer = await self._client.post(
                f"{self._url}/invocations",
                content=request.body,
                headers=_container_headers(request),
            )
        except Exception as error:  # noqa: BLE001 (of what is no port the network raises a group)
            raise ModelFailure(
                f"Could not reach the model at {self._url}: {type(error).__name__}"
            ) from None
        if not answer.is_success:
            raise _server_error(answer.status_code, answer.text)
        content_type = answer.headers.get("content-type", DEFAULT_CONTENT_TYPE)
        return ModelResponse(answer.content, content_type)

    async def aclose(self) -> None:
        """Close the connections to the container."""
        if self._client is not None:
            await self._client.aclose()

    def join(self, timeout: float) -> None:
        """Do nothing: no thread was started."""


def _container_headers(request: ModelRequest) -> Mapping[str, str]:
    """Return the headers that a container gets, those left out that the caller left out."""
    headers = {
        "content-type": request.content_type,
        "accept": request.accept,
        "x-amzn-sagemaker-custom-attributes": request.custom_attributes,
        "x-amzn-sagemaker-inference-id": request.inference_id,
    }
    return {name: value for name, value in headers.items() if value is not None}
