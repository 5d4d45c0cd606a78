"""Checksums by which S3 and its clients detect that a body was damaged in transit.

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
# If a request has this header, S3 returns the checksum of an object together with the object.
CHECKSUM_MODE = ("x-amz-checksum-mode", "ENABLED")
# The checksum algorithms that the standard library provides, fastest first.  Checksums of other
# algorithms are not verified; botocore does not verify them either, unless its native extension is
# installed.
_ALGORITHMS = {
    _PREFIX + algorithm.lower(): algorithm
    for algorithm in ("CRC32", "SHA1", "SHA256", "SHA512", "MD5")
}


def upload_checksum(body: bytes) -> tuple[str, str]:
    """Return the header with the checksum of *body*, which S3 uses to verify *body*."""
    return _PREFIX + "crc32", checksum("CRC32", body)


def check_download(location: S3Location, response: Response) -> None:
    """Verify the body of *response* by the checksum in its headers that is fastest to compute.

    If the response has no checksum that can be computed here, the body is not verified.  A checksum
    of the form ``...-N`` belongs to an object that was uploaded in N parts.  Such a checksum is
    ignored, because it is not a checksum of the whole body.

    Raises:
        ChecksumError: The body does not match the checksum.
    """
    headers = dict(reversed(response.headers))  # if a header is repeated, the first value is used
    for name, algorithm in _ALGORITHMS.items():
        expected = headers.get(name)
        if not expected or "-" in expected:
            continue
        if checksum(algorithm, response.body) != expected:
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
