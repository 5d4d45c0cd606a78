"""Streamed bodies: aws-chunked bodies with trailers, and event streams."""
