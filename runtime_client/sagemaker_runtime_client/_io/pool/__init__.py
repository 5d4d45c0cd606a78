"""An HTTP/1.1 connection pool that uses h11.  See README.md."""
