"""Clients that call a model and wait for its response.

Each module has a function that makes calls.  The arguments of a call are the name of an operation,
`invoke` or `stream`, and the body of the request.
"""
