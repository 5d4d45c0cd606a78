"""The implementation of the command-line tool `python -m sigv4`."""
