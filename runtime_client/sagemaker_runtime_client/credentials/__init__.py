"""Where credentials come from: a file a provider, and the chain of them."""

from ._loading import open_context
from ._refresh import ChainAuth, ChainCredentials

__all__ = ["ChainAuth", "ChainCredentials", "open_context"]
