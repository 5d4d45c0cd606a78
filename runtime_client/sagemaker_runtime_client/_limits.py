"""Limits on the size of responses, notifications, files and program output, in one table.

If a response exceeds its limit, `ResponseTooLargeError` is raised.  If only the beginning of the
response matters, the response is truncated instead.  A truncated document is never parsed as if it
were complete.
"""

from __future__ import annotations

import sys
from errno import EFBIG

from ._value import Value


class ResponseLimit(Value):
    """The size limit of a response body.

    Attributes:
        description: The kind of response, for error messages.
        size: Maximum size in bytes.
        is_truncated: Whether a larger body is truncated to *size* instead of rejected.
        within_read_timeout: Whether the read timeout applies to the body as a whole instead of to
            each piece of the body.
    """

    __slots__ = __match_args__ = (
        "description",
        "size",
        "is_truncated",
        "within_read_timeout",
    )

    description: str
    size: int
    is_truncated: bool
    within_read_timeout: bool

    def __init__(
        self,
        description: str,
        size: int,
        is_truncated: bool = False,
        within_read_timeout: bool = True,
    ) -> None:
        self.description = description
        self.size = size
        self.is_truncated = is_truncated
        self.within_read_timeout = within_read_timeout


# This limit applies to responses without a specific limit below, such as those with credentials.
RESPONSE = ResponseLimit("a response", 1 << 20)
# A page of a listing has at most 1,000 keys of at most one kilobyte each.
LISTING = ResponseLimit("a listing", 8 << 20)
# AWS limits the output of InvokeEndpoint to this size (service model sagemaker-runtime 2017-05-13,
# BodyBlob).  InvokeInferenceRouter has the same limit.
SYNCHRONOUS = ResponseLimit("the output of a synchronous call", 6_291_456)
# An SQS response has at most ten messages of at most one mebibyte each, plus the JSON overhead.
SQS = ResponseLimit("a response of SQS", 16 << 20)
# A certificate has two kilobytes; that of SNS may be followed by those of its issuers.
SNS_CERTIFICATE = ResponseLimit("a certificate of SNS", 64 << 10)
# The code and the message of an error response are short.  S3's messages are below 1 KiB.
ERROR = ResponseLimit("an error response", 1 << 20, is_truncated=True)
# A successful response means that the job is queued, even if the body is too long.  Only the
# inference id is in the body, and the other data of the job handle is in the headers.
INVOCATION = ResponseLimit("a response of InvokeEndpointAsync", 1 << 20, is_truncated=True)
# The caller requested the object, so only the caller's `max_size` limits its size.
OBJECT = ResponseLimit("an object (max_size)", sys.maxsize, within_read_timeout=False)
# The reason for the failure is at the beginning of a failure object.
FAILURE_OBJECT = ResponseLimit(
    "a failure object", 1 << 20, is_truncated=True, within_read_timeout=False
)

# These limits, in bytes, apply to data on this machine.  The first one applies to each shared
# configuration file, and the second one to each other file that credentials require, such as a
# token, a key or a cache.  The third one applies to the stdout and to the stderr of a program,
# separately.
SHARED_FILE_SIZE = 16 << 20
CREDENTIALS_FILE_SIZE = 1 << 20
PROCESS_OUTPUT_SIZE = 1 << 20

# This limit applies to the status lines and headers of a response and of the informational
# responses that precede it, all together.
HEADS_SIZE = 100 * 1024

# This limit applies to a line of a streamed response, and to the data of one server-sent event.
LINE_SIZE = 16 << 20

# These limits apply to notifications.  A message of SQS or SNS has at most one mebibyte; the rest of
# NOTIFICATION_SIZE is for envelopes.  EVENT_SIZE is for JSON that contains many messages.  Real
# notifications have less than a hundred values, on at most five levels.
NOTIFICATION_SIZE = 2 << 20
EVENT_SIZE = 16 << 20
EVENT_RECORDS = 10_000
NOTIFICATION_SEPARATORS = 500_000
NOTIFICATION_VALUES = 10_000
NOTIFICATION_DEPTH = 32
NOTIFICATION_TEXT = 4096
NOTIFICATION_ENVELOPES = 4


def bounded(data: bytes, most: int) -> bytes:
    """Return *data* from a file or a program; raise OSError if it has more than *most* bytes."""
    if len(data) > most:
        raise OSError(EFBIG, f"more than {most:,} bytes")
    return data


def object_limit(max_size: int | None) -> ResponseLimit:
    """Return the limit for an object that the caller requested.

    If *max_size* is None, the size of the object is not limited.
    """
    return OBJECT if max_size is None else OBJECT.replace(size=max_size)
