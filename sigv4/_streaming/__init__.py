"""Bodies that are signed piece by piece: chunks with trailers, and event streams."""
