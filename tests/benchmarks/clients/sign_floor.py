from collections.abc import Callable

from hand_signed import signer


def connect(url: str) -> Callable[[], object]:
    """Return a function that signs the call; only the date and the signature are new."""
    return signer(url.partition("://")[2])
