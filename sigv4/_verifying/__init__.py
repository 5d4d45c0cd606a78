"""Verification of received requests: the parsers, the checks and the result."""
