"""The version, where both the build and the user agent find it."""

__version__ = "0.1.0"
