"""Calls to AWS services: endpoints, signatures, attempts and errors."""
