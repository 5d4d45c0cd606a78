"""Where credentials come from: a file a source, and the chain of them."""

from ._provider import Context, LazyContext
from ._refresh import ChainCredentials

__all__ = ["ChainCredentials", "Context", "LazyContext"]
