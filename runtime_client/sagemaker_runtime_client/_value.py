"""`Value`, the base of value classes, and `JobHandle`, the type of the job handles in errors.

Which kind of class to use:

- `Value` with slots and a hand-written constructor for public classes that the first call needs.
- `Value` or `typing.NamedTuple` for private records.
- attrs for any other class.

The reason is the start-up time.  attrs and `dataclasses` generate code for each class at import,
which takes half a millisecond per class; a `NamedTuple` takes a tenth of a millisecond, and a
`Value` subclass a tenth of that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar
from warnings import warn

V = TypeVar("V", bound="Value")

# A location in S3 is shorter: a bucket has at most 63 characters, and a key at most 1,024 bytes.
_LONGEST_SHOWN = 1100


def type_name(value: object) -> str:
    """Return the name of a value's class, with the module unless it is a built-in class.

    The module is included because other libraries may use the same class names.
    """
    kind = type(value)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def shown(text: str) -> str:
    """Return a text from an untrusted source for a message: in one line and of limited length."""
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return short if short.isprintable() else ascii(short)


class Value:
    """Base class that adds equality, hash, ``repr``, `replace` and pickling to a class with slots.

    A subclass lists its fields in ``__match_args__``, in the order of its constructor's arguments.
    Do not modify an instance.  The class does not prevent modification, because the protection
    would make the creation of an instance four times as slow.

    Attributes:
        _hidden: Fields that ``repr`` omits.
        _renamed: The current name of each renamed field, keyed by its former name.  A former name
            still works but emits a warning.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset()
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})

    if not TYPE_CHECKING:  # hidden from type checkers, so that they report misspelt names

        def __getattr__(self, name: str) -> object:
            """Return the value of a renamed field by its former name, with a warning."""
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
        """Return the values that equality and the hash use: those of all fields."""
        return tuple([getattr(self, name) for name in self.__match_args__])

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes*, which the constructor checks."""
        return _make(type(self), {**self._asdict(), **changes})

    __replace__ = replace  # called by `copy.replace` in Python 3.13 and later

    def __eq__(self, other: object) -> bool:
        """Return whether *other* is an instance of the same class and all fields are equal."""
        if not isinstance(other, Value) or type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        """Return the hash of the fields."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Return the class name and all fields that are not hidden."""
        fields = self._asdict().items()
        shown = [f"{name}={value!r}" for name, value in fields if name not in self._hidden]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Make `copy` and `pickle` use the constructor, which checks the fields."""
        return _make, (type(self), self._asdict())


def _make(kind: type[V], fields: dict[str, object]) -> V:
    # A pickle from an earlier package version may contain former names of fields.
    renamed = kind._renamed  # noqa: SLF001 (same file)  # pyright: ignore[reportPrivateUsage]
    return kind(**{renamed.get(name, name): value for name, value in fields.items()})


class JobHandle(Value):
    """The data of a job handle.  Every instance is an `Invocation`, which documents the fields.

    This base class avoids a circular import: errors refer to the handle, and `Invocation` raises
    errors.
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
        "inference_router_name",
        "routing_target",
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
    inference_router_name: str | None
    routing_target: str | None

    def to_json(self) -> str:
        """Return the handle as JSON, for example to send it to another process."""
        fields = self._asdict()
        dates = {
            name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)
        }
        return json.dumps({**fields, **dates})
