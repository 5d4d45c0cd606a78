from collections.abc import Callable

from hand_signed import signer


def connect(url: str) -> Callable[[], object]:
    """Return a function that signs the call; everything except the date and the signature is
    computed in advance.
    """
    return signer(url.partition("://")[2])
