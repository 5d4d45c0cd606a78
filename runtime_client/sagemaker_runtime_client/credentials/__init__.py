"""Where credentials come from: a file a provider, and the chain of them."""

from ._loader import LazyContext
from ._provider import Context
from ._refresh import ChainCredentials

__all__ = ["ChainCredentials", "Context", "LazyContext"]
