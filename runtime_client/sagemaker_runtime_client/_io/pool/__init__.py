"""An HTTP/1.1 connection pool over h11.  See README.md."""
