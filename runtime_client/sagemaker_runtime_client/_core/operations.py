"""
The client, written once: what both clients do.

Their methods have their signatures and docstrings from here.
"""

from .inference import InferenceOperations
from .objects import ObjectOperations


class Core(InferenceOperations, ObjectOperations):
    """All operations, each once, as a coroutine."""
