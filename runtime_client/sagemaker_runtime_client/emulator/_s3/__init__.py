"""The emulated S3: its objects and its operations."""
