"""Calls to any AWS service: endpoint, signature, attempts and errors, independent of the operation."""
