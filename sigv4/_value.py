"""
What values have in common: they do not change, and are equal where their parts are.

`dataclasses` does the same by writing code at each import, half a millisecond a class; in a function
that starts cold, that is felt.
"""

from typing import Any, ClassVar, NoReturn, Self, TypeVar, dataclass_transform

V = TypeVar("V", bound="Value")

# How a constructor sets a part, once.
set_part = object.__setattr__


@dataclass_transform(frozen_default=True)
class Value:
    """
    A value.  Its slots are its parts, and those of its constructor's arguments.

    Attributes:
        _hidden: Parts that stay out of ``repr``.
        _apart: Slots that are no part of the value.
    """

    __slots__ = ()

    _hidden: ClassVar[frozenset[str]] = frozenset()
    _apart: ClassVar[frozenset[str]] = frozenset()

    def _parts(self) -> dict[str, Any]:
        """Return the parts by name."""
        slots: tuple[str, ...] = self.__slots__
        return {name: getattr(self, name) for name in slots if name not in self._apart}

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
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        """Return the hash of the parts."""
        return hash(tuple(self._parts().values()))

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
