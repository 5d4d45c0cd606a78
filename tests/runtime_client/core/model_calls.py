"""Helpers that call a model synchronously with scripted I/O and scripted responses."""

import pytest

from sagemaker_runtime_client import (
    Response,
    RuntimeClientError,
)
from tests.runtime_client.scripted_io import core, run

CALLS = {
    "endpoint": lambda client, **more: client.invoke_endpoint("e", b"body", **more),
    "router": lambda client, **more: client.invoke_inference_router("r", "t", b"body", **more),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def error(status, code=None, body=b'{"Message":"m"}'):
    """Return an error response."""
    return Response(status, {} if code is None else {"x-amzn-errortype": code}, body)


NOT_READY = error(429, "ModelNotReadyException")
OK = Response(200, {}, b"output")


def failure(io, call=CALLS["endpoint"], arguments=None, **settings):
    """Make a call that must fail, and return the error."""
    with pytest.raises(RuntimeClientError) as caught:
        run(call(core(io, **settings), **(arguments or {})))
    return caught.value
