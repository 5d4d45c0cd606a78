"""Messages about the values that a caller gives to the signer."""

from sigv4 import Payload, SigV4

# Files and folders of the code whose messages are all in a table.
ROOMS = ("sigv4/_payload.py",)

MESSAGES = [
    (
        lambda: SigV4("", "us-east-1"),
        "service must be printable ASCII, without blanks, slashes and commas, of 1 to 255 characters",
    ),
    (
        lambda: Payload(""),
        "a payload hash must be a SHA-256 in hexadecimal, or a marker such as UNSIGNED-PAYLOAD",
    ),
    (
        lambda: Payload.hashed("A" * 64),
        "hexdigest must be 64 lower-case hexadecimal digits",
    ),
    (
        lambda: Payload.streaming("AWS5"),
        "there is no aws-chunked form STREAMING-AWS5-PAYLOAD",
    ),
]
