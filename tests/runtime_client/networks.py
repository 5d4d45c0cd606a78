"""Networks for a pool that are no sockets: what comes is known before."""


class Scripted:
    """
    A network, and the one stream that it opens.

    Args:
        pieces: What comes, read by read; then the end.

    Attributes:
        written: What was written, piece by piece.
    """

    def __init__(self, pieces):
        self._pieces = list(pieces)
        self.written = []
        self.is_closed = False

    async def connect(self, _host, _port, _tls=None, _timeout=None):
        return self

    async def is_readable(self):
        return self.is_closed

    async def read(self, max_bytes, _timeout=None):
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece[max_bytes:]:
            self._pieces.insert(0, piece[max_bytes:])
        return piece[:max_bytes]

    async def write(self, buffer, _timeout=None):
        self.written.extend([buffer] if buffer else [])

    def close(self):
        self.is_closed = True
