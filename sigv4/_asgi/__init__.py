"""The parts of `sigv4.asgi`."""
