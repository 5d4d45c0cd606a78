"""Evaluates the conditions in the headers of a request (RFC 9110, section 13.2.2)."""

from collections.abc import Mapping

from ..._io.message import parse_http_date
from .._reply import RejectedRequestError, rejection
from .stored import StoredObject


def check_conditions(headers: Mapping[str, str], stored: StoredObject) -> None:
    """Reject the request if its If-Match or If-Unmodified-Since condition does not hold."""
    if (tags := headers.get("if-match")) is not None:
        if not _etag_matches(tags, stored):
            raise _condition_failed("If-Match")
        return
    since = parse_http_date(headers.get("if-unmodified-since"))
    if since is not None and stored.last_modified.replace(microsecond=0) > since:
        raise _condition_failed("If-Unmodified-Since")


def check_write_conditions(
    headers: Mapping[str, str], stored: StoredObject | None, key: str
) -> None:
    """Reject a request to write an object if its If-Match or If-None-Match does not hold.

    Args:
        headers: The headers of the request.
        stored: The existing object that the request would overwrite; None if there is none.
        key: The key.
    """
    if headers.get("if-none-match", "*") != "*":
        raise rejection(501, "NotImplemented", "If-None-Match must be * for a write.")
    if "if-match" in headers and stored is None:
        raise no_such_key(key)
    if stored is not None:
        check_conditions(headers, stored)
        if "if-none-match" in headers:
            raise _condition_failed("If-None-Match")


def is_not_modified(headers: Mapping[str, str], stored: StoredObject) -> bool:
    """Return whether the caller already has the current object.

    The condition If-None-Match is evaluated or, if it is missing, If-Modified-Since.
    """
    if (tags := headers.get("if-none-match")) is not None:
        # If-None-Match uses weak comparison, which ignores the prefix W/ of weak tags.
        return _etag_matches(tags.replace("W/", ""), stored)
    since = parse_http_date(headers.get("if-modified-since"))
    return since is not None and stored.last_modified.replace(microsecond=0) <= since


def no_such_key(key: str) -> RejectedRequestError:
    """Return S3's error for a missing key."""
    return rejection(404, "NoSuchKey", "The specified key does not exist.", Key=key)


def _condition_failed(condition: str) -> RejectedRequestError:
    return rejection(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        Condition=condition,
    )


def _etag_matches(tags: str, stored: StoredObject) -> bool:
    """Return whether *tags* contains * or the stored object's entity tag, with or without quotes."""
    tags_without_quotes = {tag.strip().strip('"') for tag in tags.split(",")}
    return not {"*", stored.etag.strip('"')}.isdisjoint(tags_without_quotes)
