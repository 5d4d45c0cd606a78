"""
Values: objects that are equal where their fields are; and `JobHandle`, which errors carry.

Where a class is used decides how it is written:

- It is public, and the first call makes one: a `Value`, with slots and a constructor by hand.
- It is a private record: a `typing.NamedTuple`.
- Anything else: attrs.

A cold start is the reason.  attrs and `dataclasses` write code for each class when it is imported: half
a millisecond, where a `Value` takes a hundredth of that.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar
from warnings import warn

V = TypeVar("V", bound="Value")


def type_name(value: object) -> str:
    """Return the name of a value's class, with its module: other libraries have classes of the same name."""
    kind = type(value)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


class Value:
    """
    What a class with slots lacks: equality, hash, ``repr``, copies with changes, pickling.

    A class derived from it names its fields, in the order of its constructor's arguments, in
    ``__match_args__``, where ``case`` looks for them too.  Nothing refuses to set a field, since that
    would make each object four times as slow to make: treat it as a value.

    Attributes:
        _hidden: Fields that ``repr`` leaves out.
        _renamed: Fields by their former names, which still work, with a warning.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset()
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})

    if not TYPE_CHECKING:  # a type checker shall report misspelt names

        def __getattr__(self, name: str) -> object:
            """Return a field by its former name."""
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
        """Return what equality compares."""
        return tuple([getattr(self, name) for name in self.__match_args__])

    def replace(self, **changes: object) -> Self:
        """Return a value like this one but for *changes*, which are checked as in any other."""
        return _make(type(self), {**self._asdict(), **changes})

    __replace__ = replace  # for `copy.replace` of Python 3.13

    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is of the same class, with equal fields."""
        if not isinstance(other, Value) or type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        """Return the hash of the fields."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Show the fields, but for those that are hidden."""
        fields = self._asdict().items()
        shown = [f"{name}={value!r}" for name, value in fields if name not in self._hidden]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle by the constructor, which checks the fields."""
        return _make, (type(self), self._asdict())


def _make(kind: type[V], fields: dict[str, object]) -> V:
    # A value that an earlier version pickled has its fields by their former names.
    renamed = kind._renamed  # noqa: SLF001 (the class is in this file)
    return kind(**{renamed.get(name, name): value for name, value in fields.items()})


class JobHandle(Value):
    """
    The data of a job's handle; an object is always an `Invocation`, which documents the fields.

    It is here since errors carry a handle, and what `Invocation` does beside raises errors.
    """

    _renamed = MappingProxyType({"has_new_name": "unique_output_name"})
    __slots__ = __match_args__ = (
        "inference_id",
        "output_location",
        "failure_location",
        "request_id",
        "endpoint_name",
        "date",
        "attempts",
        "possibly_duplicated",
        "unique_output_name",
        "first_attempt_date",
    )

    inference_id: str | None
    output_location: str | None
    failure_location: str | None
    request_id: str | None
    endpoint_name: str | None
    date: datetime | None
    attempts: int
    possibly_duplicated: bool
    unique_output_name: bool
    first_attempt_date: datetime | None

    def to_json(self) -> str:
        """Return the handle as JSON, for a queue, a database or another process."""
        fields = self._asdict()
        dates = {
            name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)
        }
        return json.dumps({**fields, **dates})
