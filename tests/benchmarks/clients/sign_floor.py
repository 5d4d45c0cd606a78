from collections.abc import Callable

from hand_signed import signer


def connect(url: str) -> Callable[[], object]:
    """Return a function that signs the call, with everything except date and signature computed in
    advance.
    """
    return signer(url.partition("://")[2])
