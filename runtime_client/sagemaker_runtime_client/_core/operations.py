"""The operations of both clients.

The methods of the clients use the signatures and docstrings of these coroutines.
"""

from .inference import InferenceOperations
from .objects import ObjectOperations


class Core(InferenceOperations, ObjectOperations):
    """All operations, each written once, as a coroutine."""
