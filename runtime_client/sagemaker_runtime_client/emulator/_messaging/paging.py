"""Divides lists into pages; the token of a page contains the last name of the previous page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from .._reply import rejection


def take_page(names: Sequence[str], token: str | None, most: int) -> tuple[list[str], str | None]:
    """Return a page of sorted names, and the token of the next page if there is one.

    Args:
        names: All names, sorted.
        token: The token of the page; None or empty for the first page.
        most: The maximum number of names in the page.

    Raises:
        RejectedRequestError: The token is invalid.
    """
    try:
        after = urlsafe_b64decode((token or "").encode()).decode()
    except ValueError:
        raise rejection(
            400, "InvalidParameterValue", "Value for parameter NextToken is invalid."
        ) from None
    rest = [name for name in names if name > after]
    if len(rest) <= most:
        return rest, None
    return rest[:most], urlsafe_b64encode(rest[most - 1].encode()).decode()
