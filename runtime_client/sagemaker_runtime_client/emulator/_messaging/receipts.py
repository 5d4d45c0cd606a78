"""Receipt handles, each of which identifies one receipt of a message."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import token_hex

from .._reply import rejection


def make_receipt(queue: str, serial: str) -> str:
    """Return a new receipt handle for the message *serial* of a queue."""
    return urlsafe_b64encode(f"{queue} {serial} {token_hex(16)}".encode()).decode()


def parse_receipt(queue: str, receipt: str) -> str:
    """Return the serial number of the message that a receipt handle identifies.

    Raises:
        RejectedRequestError: The receipt handle is malformed, or belongs to another queue.
    """
    try:
        name, serial, _ = urlsafe_b64decode(receipt.encode()).decode().split(" ")
    except ValueError:
        name = serial = ""
    if name != queue:
        raise rejection(
            404, "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is invalid.'
        )
    return serial
