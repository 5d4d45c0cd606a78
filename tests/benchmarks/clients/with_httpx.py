from collections.abc import Callable

import httpx
from arguments import PATH
from hand_signed import signer


def connect(url: str) -> Callable[[], object]:
    """Return a function that makes one call."""
    sign, client = signer(url.partition("://")[2]), httpx.Client()
    return lambda: client.post(url + PATH, headers=sign()).json()["InferenceId"]
