from collections.abc import Callable

from hand_signed import signer


def connect(url: str) -> Callable[[], object]:
    """Return what signs once, with everything known beforehand but date and signature."""
    return signer(url.partition("://")[2])
