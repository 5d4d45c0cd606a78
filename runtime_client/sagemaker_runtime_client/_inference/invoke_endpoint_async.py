"""The table that describes the operation InvokeEndpointAsync.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

from string import ascii_letters, digits
from typing import TypedDict

from .._limits import INVOCATION
from .members import BODY, PATH, Member, OperationModel, inline, seconds, text

# This is the maximum size of a payload that is sent in the request; a larger payload must be
# uploaded to S3.
INLINE_LIMIT = 128_000

_ALPHANUMERIC = ascii_letters + digits


# The functions below check values against the patterns in the service model.  If stripping the
# allowed characters from both ends of a string leaves a non-empty string, the string contains a
# character that is not allowed.
def _is_endpoint_name(value: str) -> bool:
    """Return whether *value* matches ``[a-zA-Z0-9](-*[a-zA-Z0-9])*``."""
    return not value.strip(_ALPHANUMERIC + "-") and "-" not in {value[0], value[-1]}


def _is_input_location(value: str) -> bool:
    """Return whether *value* matches ``(https|s3)://([^/]+)/?(.*)``."""
    scheme, _, rest = value.partition("://")
    return scheme in {"https", "s3"} and rest[:1] not in {"", "/"}


def _is_path_extension(value: str) -> bool:
    """Return whether *value* matches ``(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+``.

    The pattern excludes the colon, so *value* cannot begin with a URL scheme.
    """
    return not value.strip(_ALPHANUMERIC + "!_.*'()/-")


def is_filename(value: str) -> bool:
    r"""Return whether *value* matches ``(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*``."""
    fits = not value.strip(_ALPHANUMERIC + "-_.") and value[0] in _ALPHANUMERIC
    return fits and value.count(".") <= 1


INVOKE_ENDPOINT_ASYNC = OperationModel(
    "invoke_endpoint_async",
    "InvokeEndpointAsync",
    "/endpoints/{endpoint_name}/async-invocations",
    (
        Member(
            "endpoint_name",
            "EndpointName",
            PATH,
            text(
                1,
                63,
                _is_endpoint_name,
                rule="contain only letters, digits and inner hyphens",
            ),
            "ENDPOINT",
            "name of the endpoint",
            is_required=True,
        ),
        Member(
            "input_location",
            "InputLocation",
            "X-Amzn-SageMaker-InputLocation",
            text(
                1, 1024, _is_input_location, rule="start with s3:// or https://", ascii_only=False
            ),
            "S3URI",
            "location of a payload that is already in S3",
        ),
        Member("body", "Body", BODY, inline(INLINE_LIMIT), kind=bytes, is_sensitive=True),
        Member(
            "content_type",
            "ContentType",
            "X-Amzn-SageMaker-Content-Type",
            text(0, 1024),
            "TYPE",
            "media type of the payload, such as text/csv",
        ),
        Member(
            "accept",
            "Accept",
            "X-Amzn-SageMaker-Accept",
            text(0, 1024),
            "TYPE",
            "media type requested for the output",
        ),
        Member(
            "custom_attributes",
            "CustomAttributes",
            "X-Amzn-SageMaker-Custom-Attributes",
            text(0, 1024),
            "TEXT",
            "text passed to the model, at most 1024 characters",
            is_sensitive=True,
        ),
        Member(
            "inference_id",
            "InferenceId",
            "X-Amzn-SageMaker-Inference-Id",
            text(1, 64),
            "ID",
            "id of the job (default: a new UUID)",
        ),
        Member(
            "s3_output_path_extension",
            "S3OutputPathExtension",
            "X-Amzn-SageMaker-S3OutputPathExtension",
            text(1, 512, _is_path_extension, rule="contain only letters, digits and !_.*'()/-"),
            "PATH",
            "path of the output below the endpoint's output path",
        ),
        Member(
            "filename",
            "Filename",
            "X-Amzn-SageMaker-Filename",
            text(
                1,
                32,
                is_filename,
                rule="start with a letter or digit and contain only letters, digits, -, _ and at most one "
                "dot",
            ),
            "NAME",
            "file name of the output, at most 32 characters",
        ),
        Member(
            "request_ttl_seconds",
            "RequestTTLSeconds",
            "X-Amzn-SageMaker-RequestTTLSeconds",
            seconds(60, 21_600),
            "SECONDS",
            "how long the job may wait in the queue, 60 to 21600",
            kind=int,
        ),
        Member(
            "invocation_timeout_seconds",
            "InvocationTimeoutSeconds",
            "X-Amzn-SageMaker-InvocationTimeoutSeconds",
            seconds(1, 3600),
            "SECONDS",
            "how long the model may work on the job, 1 to 3600",
            kind=int,
        ),
    ),
    exactly_one=("body", "input_location"),
    limit=INVOCATION,
)


class InvokeOptions(TypedDict, total=False):
    """The optional arguments of an invocation, except those for the endpoint and the input."""

    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None
