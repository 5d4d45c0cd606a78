"""
What values have in common: they do not change, and are equal where their parts are.

`dataclasses` does the same by writing code at each import, half a millisecond a class; in a function
that starts cold, that is felt.
"""

from typing import Any, ClassVar, NoReturn, Self, TypeVar

V = TypeVar("V", bound="Value")


def kind_of(value: object) -> str:
    """Return the name of a value's class, with its module: other libraries have some of the same name."""
    kind = type(value)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


# How a constructor sets a part, once.
set_part = object.__setattr__


class Value:
    """
    A value.

    Attributes:
        _names: Its parts, in the order of the constructor's arguments.  A class derived from it has
            the same, whatever slots it adds.
        _hidden: Parts that stay out of ``repr``.
    """

    __slots__ = ()

    _names: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset()

    def _parts(self) -> dict[str, Any]:
        """Return the parts by name."""
        return {name: getattr(self, name) for name in self._names}

    def _in_order(self) -> tuple[Any, ...]:
        """Return the parts alone."""
        return tuple([getattr(self, name) for name in self._names])

    def replace(self, **changes: Any) -> Self:
        """Return a value like this but for *changes*, checked as any other."""
        return type(self)(**{**self._parts(), **changes})

    __replace__ = replace  # for Python 3.13's `copy.replace`

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        """Refuse to change."""
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set; replace() makes another")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse to change."""
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is of the same kind, with equal parts."""
        if not isinstance(other, Value) or type(self) is not type(other):
            return NotImplemented
        return self._in_order() == other._in_order()

    def __hash__(self) -> int:
        """Return the hash of the parts."""
        return hash(self._in_order())

    def __repr__(self) -> str:
        """Show the parts, but for those that are hidden."""
        parts = self._parts().items()
        shown = ", ".join(f"{name}={part!r}" for name, part in parts if name not in self._hidden)
        return f"{type(self).__qualname__}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by the constructor."""
        return _made, (type(self), self._parts())


def _made(kind: type[V], parts: dict[str, Any]) -> V:
    return kind(**parts)
