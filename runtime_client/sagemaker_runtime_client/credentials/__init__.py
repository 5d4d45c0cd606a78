"""Where credentials come from: a file a source."""

from ._environment import EnvironmentProvider

__all__ = ["EnvironmentProvider"]
