"""A base class for values: objects that are equal if their fields are equal.

The way in which a class is defined depends on its use:

- Public classes that are needed for the first signature derive from `Value`, with slots and a
  handwritten constructor.
- Private records are `typing.NamedTuple`, or attrs classes if ``repr`` must hide a field.
- All other classes use attrs.

The reason is the duration of a cold start.  At import, attrs and `dataclasses` generate code for
each class, which takes half a millisecond.  Defining a subclass of `Value` takes a hundredth of
that time.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar
from warnings import warn

V = TypeVar("V", bound="Value")


def type_name(value: object) -> str:
    """Return the qualified name of the class of *value*, because libraries use equal class names."""
    kind = type(value)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


class Value:
    """Adds equality, hashing, ``repr``, pickling and `replace` to a class with slots.

    A subclass lists its fields in ``__match_args__``, in the order of the constructor's arguments.
    Treat an object as immutable, although its fields can be changed: preventing changes would
    quadruple the time to create an object.

    Attributes:
        _hidden: The fields that ``repr`` leaves out.
        _renamed: A mapping from former to current field names; access by a former name still works,
            but issues a DeprecationWarning.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset()
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})

    if not TYPE_CHECKING:  # a type checker must report misspelled names

        def __getattr__(self, name: str) -> object:
            """Return a field by its former name, and issue a warning."""
            kind = type(self)
            if name not in self._renamed:
                raise AttributeError(f"{kind.__qualname__!r} object has no attribute {name!r}")
            field = self._renamed[name]
            message = f"{kind.__qualname__}.{name} is deprecated: use {field} instead"
            warn(message, DeprecationWarning, stacklevel=2)
            return getattr(self, field)

    def _asdict(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__match_args__}

    def _key(self) -> tuple[object, ...]:
        """Return the field values, which are compared and hashed."""
        return tuple([getattr(self, name) for name in self.__match_args__])

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes* to its fields; the constructor checks the new values."""
        return _make(type(self), {**self._asdict(), **changes})

    __replace__ = replace  # for `copy.replace`, which Python 3.13 introduced

    def __eq__(self, other: object, /) -> bool:
        """Return whether *other* has the same class and equal fields."""
        if not isinstance(other, Value) or type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        """Return the hash of the fields."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Return a repr with all fields except the hidden ones."""
        fields = self._asdict().items()
        shown = [f"{name}={value!r}" for name, value in fields if name not in self._hidden]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Let `copy` and `pickle` create objects with the constructor, which checks the fields."""
        return _make, (type(self), self._asdict())


def _make(kind: type[V], fields: dict[str, object]) -> V:
    # An object that was pickled by an earlier version has the former field names.
    renamed = kind._renamed  # noqa: SLF001 (same file)  # pyright: ignore[reportPrivateUsage]
    return kind(**{renamed.get(name, name): value for name, value in fields.items()})
