"""Requests that consist of several entries, each of which succeeds or fails on its own."""

import re
from collections.abc import Callable
from typing import Any

from .._reply import RejectedRequestError, rejection
from .arguments import Arguments
from .replies import query_code

_MOST_ENTRIES = 10
_is_id = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII).fullmatch


def run_batch(
    entries: list[Arguments], run: Callable[[Arguments], dict[str, Any]]
) -> dict[str, Any]:
    """Run each entry, and return which ones succeeded and which ones failed.

    Args:
        entries: The entries of the request.
        run: Runs one entry, and returns its result.

    Raises:
        RejectedRequestError: The number of entries or one of their IDs is invalid.
    """
    if not entries:
        raise rejection(
            400, "EmptyBatchRequest", "There should be at least one entry in the request."
        )
    if len(entries) > _MOST_ENTRIES:
        raise rejection(
            400,
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_MOST_ENTRIES}. You have sent "
            f"{len(entries)}.",
        )
    ids = [entry.text("Id") for entry in entries]
    if not all(map(_is_id, ids)):
        raise rejection(
            400,
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        )
    if len(set(ids)) < len(ids):
        raise rejection(400, "BatchEntryIdsNotDistinct", "Two entries have the same id.")
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for identity, entry in zip(ids, entries, strict=True):
        try:
            successful.append({"Id": identity, **run(entry)})
        except RejectedRequestError as error:
            response = error.response
            code, message = query_code(response.code or ""), response.message or ""
            failure = {"Id": identity, "SenderFault": True, "Code": code, "Message": message}
            failed.append(failure)
    return {"Successful": successful, "Failed": failed}
