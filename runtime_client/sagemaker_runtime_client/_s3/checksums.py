"""
The checksums by which S3 and its callers see that a body arrived as it was sent.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html, and botocore
1.44, httpchecksum.py.
"""

import logging

from sigv4 import checksum

from .._errors import ChecksumError
from .._io.message import Response
from .objects import S3Location, printable

_log = logging.getLogger("sagemaker_runtime_client")

_PREFIX = "x-amz-checksum-"
# Asks S3 to state the checksum of what is got.
CHECKSUM_MODE = ("x-amz-checksum-mode", "ENABLED")
# What the standard library makes, the quickest first.  The others are left unchecked, as botocore
# leaves them without its native add-on.
_ALGORITHMS = {
    _PREFIX + algorithm.lower(): algorithm
    for algorithm in ("CRC32", "SHA1", "SHA256", "SHA512", "MD5")
}


def upload_checksum(body: bytes) -> tuple[str, str]:
    """Return the header by which S3 checks a body."""
    return _PREFIX + "crc32", checksum("CRC32", body)


def check_download(location: S3Location, response: Response) -> None:
    """
    Check the body by the first checksum that comes with it and can be made here.

    What is stated of an object that was put in parts, ``...-N``, is no checksum of its whole.

    Raises:
        ChecksumError: The body is another one.
    """
    headers = dict(reversed(response.headers))  # the first of those with the same name counts
    for name, algorithm in _ALGORITHMS.items():
        stated = headers.get(name)
        if not stated or "-" in stated:
            continue
        if stated != checksum(algorithm, response.body):
            raise ChecksumError(
                f"{printable(location)}: the object was damaged in transit: its {algorithm} differs "
                "from the one that S3 sent",
                status_code=response.status,
                request_id=response.request_id,
            )
        return
    _log.debug(
        "%s: not verified: S3 sent no checksum that can be computed here", printable(location)
    )
