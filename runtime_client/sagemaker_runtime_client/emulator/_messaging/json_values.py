"""The types of values that were parsed from JSON."""

from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether *value* is a list."""
    return isinstance(value, list)


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether *value* is a dictionary."""
    return isinstance(value, dict)


def is_text(value: object) -> TypeGuard[str]:
    """Return whether *value* is a string."""
    return isinstance(value, str)
