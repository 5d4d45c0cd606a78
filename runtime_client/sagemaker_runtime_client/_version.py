"""The package version, which the build and the User-Agent header use."""

__version__ = "0.1.0"
