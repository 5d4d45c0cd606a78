"""The implementation of `sigv4.asgi`."""
