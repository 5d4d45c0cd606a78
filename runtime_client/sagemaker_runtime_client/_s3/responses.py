"""Parses S3's error responses, and rejects successful responses that contain no object."""

from .._aws.error_response import xml_error
from .._errors import ServiceError, TransportError
from .._io.message import Response
from . import checksums
from .objects import PreconditionFailedError, S3Location, S3Object, object_fields, printable

# The codes of error responses to conditional uploads.
_CODES: dict[str, type[ServiceError]] = {
    "ConditionalRequestConflict": PreconditionFailedError,
    "PreconditionFailed": PreconditionFailedError,
}
# The statuses of GET and HEAD responses that contain or describe an object.
_OBJECT_STATUSES = frozenset({200, 206})


def parse_object(location: S3Location, response: Response) -> S3Object:
    return S3Object(str(location), response.body, **object_fields(response))


def parse_error(location: S3Location, response: Response) -> ServiceError:
    """Return the error in *response*, with the location of the object in the message."""
    error = xml_error(response, _CODES)
    error.message = f"{printable(location)}: {error.message}"
    return error


def check_object(location: S3Location, response: Response) -> None:
    """Raise TransportError if a successful response, which a proxy may have sent, has no object."""
    if response.status not in _OBJECT_STATUSES:
        raise _no_object(location, response)


def check_object_and_checksum(location: S3Location, response: Response) -> None:
    if response.status not in _OBJECT_STATUSES:
        raise _no_object(location, response)
    checksums.check_download(location, response)


def _no_object(location: S3Location, response: Response) -> TransportError:
    return TransportError(
        f"{printable(location)}: S3 responded with status {response.status}, which carries no object",
        status_code=response.status,
        request_id=response.request_id,
    )
