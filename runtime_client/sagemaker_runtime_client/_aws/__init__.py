"""Calls to any AWS service: endpoint, signature, attempts and errors, for every operation."""
