"""Faults of a server: functions that send something else instead of the response."""

import re

from tests.runtime_client.s3.downloads.object_server import head


def cut_at_once(_response, _connection):
    """Close the connection without a response."""


def cut(response, connection):
    """Close the connection in the middle of the response."""
    connection.sendall(response[: len(response) // 2])


def stall(response, connection):
    """Send half of the response, and then nothing until the client closes the connection."""
    connection.sendall(response[: len(response) // 2])
    connection.recv(1)


def flip(response, connection):
    """Send the response with the last bit of its body inverted; do not change a response to HEAD."""
    has_body = not response.endswith(b"\r\n\r\n")
    connection.sendall(response[:-1] + bytes([response[-1] ^ has_body]))


def truncate(response, connection):
    """Send the response without the last byte of its body, and with the reduced Content-Length."""
    begin, _, body = response.partition(b"\r\n\r\n")
    if body:
        body = body[:-1]
        begin = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), begin)
    connection.sendall(begin + b"\r\n\r\n" + body)


def fail(_response, connection):
    """Send the error response for an internal error."""
    connection.sendall(head(500, 0))


def throttle(_response, connection):
    """Send the error response of an overloaded store."""
    connection.sendall(head(503, 0))


def deny(_response, connection):
    """Send the error response for a missing permission."""
    connection.sendall(head(403, 0))


HARMLESS = {
    fault.__name__: fault for fault in (cut_at_once, cut, stall, flip, truncate, fail, throttle)
}
