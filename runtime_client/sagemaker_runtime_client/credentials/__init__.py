"""Where credentials come from: a file a provider, and the chain of them."""

from ._loading import open_context
from ._refresh import ChainCredentials

__all__ = ["ChainCredentials", "open_context"]
