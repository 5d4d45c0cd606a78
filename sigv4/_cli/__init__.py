"""The command line of `python -m sigv4`."""
