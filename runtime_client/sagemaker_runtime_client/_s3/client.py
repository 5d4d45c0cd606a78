"""
One object of S3: put, get, head.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ (PutObject, GetObject, HeadObject), and
for buckets in another region botocore 1.44, utils.py, S3RegionRedirectorv2.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import cast

from sigv4 import percent_encode_path

from .._aws.auth import Auth, PreparedAuth
from .._aws.call import Caller
from .._aws.endpoint import Endpoint, EndpointOptions, s3_endpoint
from .._aws.error_response import is_s3_error, xml_error
from .._aws.operation import Call, is_no_success
from .._errors import ParamValidationError, ServiceError, TransportError
from .._io.message import Request, Response, parse_length
from .._limits import ANSWER, OBJECT, AnswerLimit
from .objects import S3Location, S3Object

_is_region = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_is_metadata_name = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

# Answers that say: another region.
_REDIRECT_STATUSES = frozenset({301, 302, 307})
_REDIRECT_CODES = frozenset({"IllegalLocationConstraintException", "PermanentRedirect"})
# Answers to GET and HEAD that have an object, or what is known of one.
_OBJECT_STATUSES = frozenset({200, 206})
_META = "x-amz-meta-"


class S3:
    """
    Objects of S3, through one client's calls.

    Args:
        caller: Makes the calls.
        options: What the endpoint depends on.
        addressing_style: Where the bucket's name goes.
        upload_checksum: Whether S3 is to check what is put.
        download_checksum: Whether to check what is got.
    """

    def __init__(
        self,
        caller: Caller,
        options: EndpointOptions,
        addressing_style: str = "auto",
        *,
        upload_checksum: bool = True,
        download_checksum: bool = True,
    ) -> None:
        self._caller = caller
        self._options = options
        self._addressing_style = addressing_style
        self._upload_checksum = upload_checksum
        self._download_checksum = download_checksum
        self._regions: dict[str, str] = {}
        # Settings that no bucket can be reached with are refused now.
        self._any_origin = s3_endpoint(options, "any-bucket", addressing_style)[0].origin

    async def load(self) -> None:
        """Load what sends to S3."""
        await self._caller.load(self._any_origin)

    async def prepare(self, location: S3Location, deadline: float | None = None) -> PreparedAuth:
        """Get ready for a request with a short deadline: load what sends it, and get credentials."""
        endpoint, _ = self._endpoint(location.bucket)
        return await self._caller.prepare(endpoint.origin, deadline)

    async def put(
        self,
        location: S3Location,
        body: bytes,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> S3Object:
        """Write an object in one piece, and return what S3 says of it."""
        headers: list[tuple[str, str]] = []
        if content_type is not None:
            headers.append(("content-type", _header_value("content_type", content_type)))
        if not hasattr(metadata or {}, "items"):
            raise ParamValidationError("metadata must be a mapping", argument="metadata")
        for name, value in (metadata or {}).items():
            if not _is_metadata_name(_header_value("metadata", name)):
                raise ParamValidationError(
                    "metadata must have names that are header names", argument="metadata"
                )
            headers.append((_META + name, _header_value("metadata", value)))
        if self._upload_checksum:
            from .checksums import of_upload

            headers.append(await self._caller.compute(of_upload, body))
        response = await self._send("PUT", location, tuple(headers), body, deadline=deadline)
        return _object(location, response).replace(size=len(body), content_type=content_type)

    async def get(
        self,
        location: S3Location,
        *,
        deadline: float | None = None,
        limit: AnswerLimit = OBJECT,
        modified_since: datetime | None = None,
        auth: Auth | None = None,
        is_poll: bool = False,
    ) -> S3Object:
        """
        Read an object.

        Args:
            location: Which.
            limit: How much of it; one that is cut there is not checked by a checksum.
            deadline: As for `Call`.
            modified_since: Where it is older, S3 answers 304 instead.
            auth: What `prepare` returned.
            is_poll: As for `Call`.
        """
        headers: tuple[tuple[str, str], ...] = ()
        check = _check_object
        if modified_since is not None:
            from email.utils import format_datetime

            since = format_datetime(modified_since.astimezone(UTC), usegmt=True)
            headers = (("if-modified-since", since),)
        if self._download_checksum and not limit.is_cut:
            from .checksums import ASKED_FOR

            headers += ASKED_FOR
            check = _check_object_and_checksum
        response = await self._send(
            "GET",
            location,
            headers,
            limit=limit,
            deadline=deadline,
            check=check,
            auth=auth,
            is_poll=is_poll,
        )
        return _object(location, response)

    async def head(self, location: S3Location, *, deadline: float | None = None) -> S3Object:
        """Read all of an object but its body."""
        response = await self._send("HEAD", location, deadline=deadline, check=_check_object)
        return _object(location, response)

    async def _send(
        self,
        method: str,
        location: S3Location,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        *,
        limit: AnswerLimit = ANSWER,
        deadline: float | None = None,
        check: Callable[[Response], None] | None = None,
        auth: Auth | None = None,
        is_poll: bool = False,
    ) -> Response:
        """Send a request to the bucket's region, which one wrong answer may correct."""
        bucket = location.bucket
        for again in (True, False):
            endpoint, before_key = self._endpoint(bucket)
            path = percent_encode_path(before_key + location.key)
            call = Call(
                endpoint,
                Request(method, path, headers, body),
                partial(_error_about, location),
                # What is read may itself be what looks like an error.
                is_s3_error if method == "PUT" else is_no_success,
                limit=limit,
                deadline=deadline,
                check=check,
                auth=auth,
                is_poll=is_poll,
            )
            try:
                reply = await self._caller.call(call)
            except ServiceError as error:
                if not again or not _points_elsewhere(error, method):
                    raise
                region = error.region or await self._region_of_bucket(call, before_key)
                if region == endpoint.region or not _is_region(region or ""):
                    raise
                self._regions[bucket] = cast("str", region)
            else:
                return reply.response
        raise AssertionError  # pragma: no cover (the second time returns or raises)

    async def _region_of_bucket(self, call: Call, before_key: str) -> str | None:
        """Ask for the region of the bucket to which *call* went; S3 names it in refusals, too."""
        path = percent_encode_path(before_key.rstrip("/") or "/")
        head = call._replace(request=Request("HEAD", path), limit=ANSWER, check=None)
        try:
            return (await self._caller.call(head)).response.header("x-amz-bucket-region")
        except ServiceError as error:
            return error.region

    def _endpoint(self, bucket: str) -> tuple[Endpoint, str]:
        """Return where a bucket is, as far as that is known, and what stands before a key."""
        region = self._regions.get(bucket, self._options.region)
        options = self._options._replace(region=region)
        return s3_endpoint(options, bucket, self._addressing_style)


def _error_about(location: S3Location, response: Response) -> ServiceError:
    """Return the error in an answer, with the object that it is about."""
    error, name = xml_error(response), str(location)
    error.message = f"{name if name.isprintable() else ascii(name)}: {error.message}"
    return error


def _header_value(argument: str, value: object) -> str:
    """Return a header's value, if it goes on the wire as it stands."""
    text = value.strip(" ") if isinstance(value, str) else ""
    if text != value or not text.isascii() or not text.isprintable():
        raise ParamValidationError(
            f"{argument} must be printable ASCII without outer blanks", argument=argument
        )
    return text


def _points_elsewhere(error: ServiceError, method: str) -> bool:
    """Tell whether an error says that the bucket is in another region, whether it names that or not."""
    if error.status_code in _REDIRECT_STATUSES or error.code in _REDIRECT_CODES:
        return True
    if error.code == "400":  # which a HEAD's answer, without a body, says of a wrong region
        return method == "HEAD" or error.region is not None
    return error.code == "AuthorizationHeaderMalformed" and error.region is not None


def _check_object(response: Response) -> None:
    """Refuse a success that has no object, such as the answer to another request."""
    if response.status not in _OBJECT_STATUSES:
        raise TransportError(
            f"S3 answered {response.status}, which comes with no object",
            status_code=response.status,
            request_id=response.request_id,
        )


def _check_object_and_checksum(response: Response) -> None:
    """Refuse what is no object, and one that arrived damaged."""
    from .checksums import check_download

    _check_object(response)
    check_download(response)


def _object(location: S3Location, response: Response) -> S3Object:
    """Return what an answer says of an object."""
    size = parse_length(response.header("content-length"))
    return S3Object(
        location=str(location),
        body=response.body,
        size=len(response.body) if size is None else size,
        content_type=response.header("content-type"),
        metadata={
            name.removeprefix(_META): value
            for name, value in response.headers
            if name.startswith(_META)
        },
        etag=response.header("etag"),
        last_modified=response.instant("last-modified"),
    )
