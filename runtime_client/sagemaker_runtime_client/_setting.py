"""A setting: what it is where nothing sets it, what may set it, and how it is read.  Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._errors import ConfigError


def boolean(text: str) -> bool:
    """Read ``true`` or ``false``, in any case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def whole_number(text: str) -> int:
    """Read a whole number from 1."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
        raise ValueError("must be a whole number, 1 to 999")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1000:
        raise ValueError("must be a number of seconds, more than 0")
    return value


def one_of(*choices: str, **others: str) -> Callable[[str], str]:
    """Return a reader of a word, in any case; *others* are spellings of one of the *choices*."""

    def read(text: str) -> str:
        word = others.get(text.lower(), text.lower())
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return read


class Setting:
    """
    What sets a setting where no argument does.

    Args:
        default: Its value where nothing does.
        variables: The first of these with a value comes first.
        key: The profile's keys come next, with a blank between them; a dot leads into a nested value.
        last: Variables that come after the profile, likewise.
        read: Makes a value of a text, or raises ValueError with what it must be.
    """

    def __init__(
        self,
        default: Any,
        *variables: str,
        key: str = "",
        last: str = "",
        read: Callable[[str], Any] = str,
    ) -> None:
        self.name = ""
        self.default = default
        self.variables, self.keys, self.last = variables, key.split(), last.split()
        self.read = read

    def __set_name__(self, owner: type, name: str) -> None:
        """Be told the name."""
        self.name = name


def field(default: Any, *variables: str, **rest: Any) -> Any:
    """Return a `Setting`, in the place of its value: each `Config` has its own."""
    return Setting(default, *variables, **rest)


class Sources:
    """What sets settings, but for arguments: variables, and a profile."""

    def __init__(self, environ: Mapping[str, str], section: Mapping[str, Any]) -> None:
        self.environ, self.section = environ, section

    def value(self, setting: Setting) -> dict[str, Any]:
        """Return the value of a setting by its name, or nothing where there is none."""
        for where, text in self._texts(setting):
            if text:
                try:
                    return {setting.name: setting.read(text)}
                except ValueError as error:
                    raise ConfigError(f"{where} {error}") from None
        return {}

    def _texts(self, setting: Setting) -> Iterator[tuple[str, str | None]]:
        for variable in setting.variables:
            yield variable, self.environ.get(variable)
        for key in setting.keys:
            found: Any = self.section
            for name in key.split("."):
                found = getattr(found, "get", _nothing)(name)
            yield f"the profile's {key}", found if isinstance(found, str) else None
        for variable in setting.last:
            yield variable, self.environ.get(variable)


def _nothing(_name: str) -> None:
    """Return what a text says of names below it."""
