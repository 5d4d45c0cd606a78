"""Credential providers, one module each, and the chain that searches them."""

from ._chain import open_context
from ._refresh import ChainAuth, ChainCredentials

__all__ = ["ChainAuth", "ChainCredentials", "open_context"]
