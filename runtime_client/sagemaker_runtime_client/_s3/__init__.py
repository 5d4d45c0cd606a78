"""The requests to S3, the parsing of its responses, and the transfer of objects."""
