"""
Limits on what is read of answers, files and programs: one table.

An answer that is larger than its row says is a `ResponseTooLargeError`, or cut where only its
beginning matters; a document that was cut is never read as a whole one.
"""

import sys
from errno import EFBIG
from typing import NamedTuple


class AnswerLimit(NamedTuple):
    """
    How much of an answer's body is taken.

    Attributes:
        what: What the answer holds, as a message names it.
        size: Bytes at the most.
        is_cut: Whether a larger one is cut there, instead of refused.
        is_prompt: Whether all of it must come within the read timeout, instead of each piece.
    """

    what: str
    size: int
    is_cut: bool = False
    is_prompt: bool = True


# What no other row is for, credentials among it.
ANSWER = AnswerLimit("an answer", 1 << 20)
# A page of a listing, which has a thousand keys of a kilobyte at the most.
LISTING = AnswerLimit("a listing", 8 << 20)
# What a model answers at once (InvokeEndpoint; service model sagemaker-runtime 2017-05-13, BodyBlob).
SYNCHRONOUS = AnswerLimit("a synchronous answer", 6_291_456)
# Ten messages of a mebibyte each, and what JSON makes of them.
SQS = AnswerLimit("an answer of SQS", 16 << 20)
# Of an error, the status and the message count; S3's are below 1 KiB.
ERROR = AnswerLimit("an error", 1 << 20, is_cut=True)
# A success means that the job is queued, however long it is; the handle is in its headers.
INVOCATION = AnswerLimit("an invocation", 1 << 20, is_cut=True)
# What the caller asked for: its size is his to limit.
OBJECT = AnswerLimit("an object (max_size)", sys.maxsize, is_prompt=False)
# Of a failure object, the reason is at the beginning.
FAILURE_OBJECT = AnswerLimit("a failure object", 1 << 20, is_cut=True, is_prompt=False)

# What is read of this machine: the shared files; another file that credentials need, such as a token,
# a key or a cache; what a program writes, to stdout and to stderr.
SHARED_FILE_SIZE = 16 << 20
CREDENTIALS_FILE_SIZE = 1 << 20
PROCESS_OUTPUT_SIZE = 1 << 20

# The heads of an answer: status lines and headers, those of informational answers included.
HEADS_SIZE = 100 * 1024


def bounded(data: bytes, most: int) -> bytes:
    """Return what was read of a file or of a program, or raise OSError where that is too much."""
    if len(data) > most:
        raise OSError(EFBIG, f"more than {most:,} bytes")
    return data


def object_limit(max_size: int | None) -> AnswerLimit:
    """Return the limit of an object: the caller asked for it, so that it has none but his."""
    return OBJECT if max_size is None else OBJECT._replace(size=max_size)
