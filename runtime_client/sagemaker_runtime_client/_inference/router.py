"""The tables that describe the operations of an inference router.

A router sends each request to one of its destinations, which are endpoints or inference components.

Source: the service model sagemaker-inference-router-runtime 2026-01-01, as of botocore 1.44.5.
"""

from .._limits import INVOCATION, SYNCHRONOUS
from .invoke_endpoint import INVOKE_ENDPOINT
from .invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC, is_filename
from .members import PATH, Member, OperationModel, text

_ASYNC, _SYNC = INVOKE_ENDPOINT_ASYNC.members, INVOKE_ENDPOINT.members
_check_name = _ASYNC["endpoint_name"].check
_ROUTER = (
    Member(
        "inference_router_name",
        "InferenceRouterName",
        PATH,
        _check_name,
        "ROUTER",
        "name of the inference router",
        is_required=True,
    ),
    Member(
        "routing_target",
        "RoutingTargetName",
        "X-Amzn-SageMaker-Routing-Target-Name",
        _check_name,
        "TARGET",
        "name of the routing target",
        is_required=True,
    ),
)
_INPUT = _ASYNC["input_location"]

INVOKE_INFERENCE_ROUTER_ASYNC = OperationModel(
    "invoke_inference_router_async",
    "InvokeInferenceRouterAsync",
    "/inference-routers/{inference_router_name}/async-invocations",
    (
        *_ROUTER,
        Member(
            _INPUT.argument,
            _INPUT.name,
            _INPUT.place,
            _INPUT.check,
            _INPUT.metavar,
            _INPUT.description,
            is_required=True,
        ),
        _ASYNC["content_type"],
        _ASYNC["accept"],
        _ASYNC["custom_attributes"],
        _ASYNC["inference_id"],
        _ASYNC["s3_output_path_extension"],
        Member(
            "filename",
            "Filename",
            "X-Amzn-SageMaker-Filename",
            text(
                1,
                64,
                is_filename,
                rule="start with a letter or digit and contain only letters, digits, -, _ and at "
                "most one dot",
            ),
            "NAME",
            "name of the output object; at most 64 characters",
        ),
        _ASYNC["request_ttl_seconds"],
        _ASYNC["invocation_timeout_seconds"],
    ),
    limit=INVOCATION,
    is_routed=True,
)

INVOKE_INFERENCE_ROUTER = OperationModel(
    "invoke_inference_router",
    "InvokeInferenceRouter",
    "/inference-routers/{inference_router_name}/invocations",
    (
        *_ROUTER,
        _SYNC["body"],
        _SYNC["content_type"],
        _SYNC["accept"],
        _SYNC["custom_attributes"],
        _SYNC["inference_id"],
        _SYNC["prefix_aware_id"],
    ),
    limit=SYNCHRONOUS,
    is_routed=True,
    # The router may try several destinations, so AWS advises clients to set this read timeout.
    read_timeout=170.0,
)
