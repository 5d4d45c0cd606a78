"""Limits on the size of responses, files and program output, in one table.

A response that exceeds its limit raises `ResponseTooLargeError`, or is truncated if only its beginning
matters.  A truncated document is never parsed as if it were complete.
"""

import sys
from errno import EFBIG
from typing import NamedTuple


class ResponseLimit(NamedTuple):
    """The size limit of a response body.

    Attributes:
        description: The kind of response, for error messages.
        size: Maximum size in bytes.
        is_truncated: Whether a larger body is truncated to *size* instead of rejected.
        within_read_timeout: Whether the read timeout applies to the body as a whole instead of to
            each piece of the body.
    """

    description: str
    size: int
    is_truncated: bool = False
    within_read_timeout: bool = True


# For responses without a specific limit below, such as responses that contain credentials.
RESPONSE = ResponseLimit("a response", 1 << 20)
# A page of a listing has at most a thousand keys of a kilobyte each.
LISTING = ResponseLimit("a listing", 8 << 20)
# The output of InvokeEndpoint (service model sagemaker-runtime 2017-05-13, BodyBlob) and of
# InvokeInferenceRouter.
SYNCHRONOUS = ResponseLimit("the output of a synchronous call", 6_291_456)
# Ten messages of a mebibyte each, plus the JSON overhead.
SQS = ResponseLimit("a response of SQS", 16 << 20)
# Only the status and the message of an error matter.  S3's messages are below 1 KiB.
ERROR = ResponseLimit("an error response", 1 << 20, is_truncated=True)
# A successful response means that the job is queued, however long the body is.  The handle is in
# the headers.
INVOCATION = ResponseLimit("a response of InvokeEndpointAsync", 1 << 20, is_truncated=True)
# The caller requested this object, so only the caller limits its size.
OBJECT = ResponseLimit("an object (max_size)", sys.maxsize, within_read_timeout=False)
# The reason is at the beginning of a failure object.
FAILURE_OBJECT = ResponseLimit(
    "a failure object", 1 << 20, is_truncated=True, within_read_timeout=False
)

# Limits for data on this machine: each shared configuration file; each other file that credentials
# need, such as a token, a key or a cache; and a program's stdout and stderr, separately.
SHARED_FILE_SIZE = 16 << 20
CREDENTIALS_FILE_SIZE = 1 << 20
PROCESS_OUTPUT_SIZE = 1 << 20

# Status line and headers of a response, including those of preceding informational responses.
HEADS_SIZE = 100 * 1024


# A line or the data of one server-sent event in a streamed response.
LINE_SIZE = 16 << 20


def bounded(data: bytes, most: int) -> bytes:
    """Return *data*, read from a file or a program; raise OSError if it exceeds *most* bytes."""
    if len(data) > most:
        raise OSError(EFBIG, f"more than {most:,} bytes")
    return data


def object_limit(max_size: int | None) -> ResponseLimit:
    """Return the limit for an object that the caller requested; *max_size* None means no limit."""
    return OBJECT if max_size is None else OBJECT._replace(size=max_size)
