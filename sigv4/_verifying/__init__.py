"""Verification of received requests: parsing, checks and the result."""
