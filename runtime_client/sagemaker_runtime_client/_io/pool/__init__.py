"""Connections of our own: HTTP/1.1 by h11, and a pool of them.  See README.md."""
