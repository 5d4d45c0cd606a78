"""The sources of uploads: bytes, files that are read by offset, and streams."""
