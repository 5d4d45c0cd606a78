"""
The client, written once: what both clients do, over one `IO`.

Their methods have their signatures and docstrings from here.
"""

from .inference import InferenceOperations
from .objects import ObjectOperations


class Core(InferenceOperations, ObjectOperations):
    """All operations, each once: a coroutine over *io*."""
