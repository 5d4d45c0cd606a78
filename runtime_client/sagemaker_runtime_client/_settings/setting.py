"""A setting: what it is where nothing sets it, what may set it, and how it is read.  Pure."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, Self, TypeVar, cast, overload

from .._errors import ConfigError
from .profiles import Profiles, Section

# Annotations are quoted where to evaluate them would cost the import more than the rest of the class.
T_co = TypeVar("T_co", covariant=True)

_log = logging.getLogger("sagemaker_runtime_client")
_NOTHING: Mapping[str, str] = {}

# Seconds that may pass, of which no clock overflows: eleven days.
_LONGEST = 1_000_000


# How a value is read: of an argument as of the text of a variable or of a profile, by one rule.


def boolean(value: str | bool) -> bool:
    """Read ``true`` or ``false``, in any case."""
    word = str(value).lower()
    if word not in {"true", "false"}:
        raise ValueError("must be true or false")
    return word == "true"


def whole_number(value: str | int) -> int:
    """Read a whole number from 1."""
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError("must be a whole number, 1 or more")
    return number


def seconds(value: str | float) -> float:
    """Read a number of seconds."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST:
        raise ValueError(f"must be more than 0 seconds, and at most {_LONGEST:,}")
    return number


def one_of(*choices: str, **others: str) -> Callable[[str], str]:
    """Return a reader of a word, in any case; *others* are spellings of one of the *choices*."""

    def read(text: str) -> str:
        word = others.get(text.lower(), text.lower())
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return read


class HasSources:
    """What has settings for attributes."""

    sources: "SettingSources"


class Setting(Generic[T_co]):
    """
    What a setting is where no argument gives it; as an attribute of a class, its value for an instance.

    A value is looked up when it is first asked for, and then kept: a malformed one does not stop
    what can do without.  The instance has the `SettingSources` in ``sources``.

    Args:
        default: Its value where nothing sets it.
        read: Makes a value of a text or of an argument, or raises ValueError with what it must be.
        variables: The first of these with a value comes first.
        key: The profile's keys come next, with a blank between them; a dot leads into a nested value.
        last: Variables that come after the profile, with a blank between them.
        unless: A setting that, where it is true, leaves this one to arguments.
    """

    def __init__(
        self,
        default: T_co,
        read: "Callable[[str], T_co]",
        *variables: str,
        key: str = "",
        last: str = "",
        unless: str = "",
    ) -> None:
        self.name = ""
        self.default, self.read = default, read
        self.variables, self.keys, self.last = variables, key.split(), last.split()
        self.unless = unless

    def __set_name__(self, owner: type, name: str) -> None:
        """Be told the name."""
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: HasSources, owner: type) -> T_co: ...
    def __get__(self, instance: "HasSources | None", owner: type) -> "Self | T_co":
        """Return the value for *instance*, which is kept there; of the class, the setting."""
        if instance is None:
            return self
        ignored = self.unless and getattr(instance, self.unless)
        value = self.default if ignored else instance.sources.value(self)
        vars(instance)[self.name] = value
        return value

    def argument(self, value: object) -> T_co:
        """
        Return the value that an argument gives.

        Raises:
            ConfigError: It is of another type than the default, or malformed.
        """
        kind = str if self.default is None else type(self.default)
        kinds = (int, float) if kind is float else (kind,)
        if type(value) not in kinds and not (kind is str and isinstance(value, str)):
            raise ConfigError(
                f"{self.name} must be of type {kind.__name__}, not {type(value).__name__}"
            )
        try:
            return self.read(cast("str", value))  # which also reads what is of the type already
        except ValueError as error:
            raise ConfigError(f"{self.name} {error}") from None


class SettingSources:
    """
    What sets settings where no argument does.

    Args:
        environ: The environment's variables.
        section: The profile's keys.
    """

    def __init__(
        self, environ: Mapping[str, str] = _NOTHING, section: Mapping[str, object] = _NOTHING
    ) -> None:
        self._environ, self._section = environ, section

    def value(self, setting: "Setting[T_co]") -> T_co:
        """
        Return the value of a setting, which is its default where nothing sets it.

        What is neither true nor false is false, as botocore has it.

        Raises:
            ConfigError: It is malformed; the message names the variable or the profile's key.
        """
        for where, text in self._texts(setting):
            if text:
                try:
                    return setting.read(text)
                except ValueError as error:
                    if setting.read is not boolean:
                        raise ConfigError(f"{where} {error}") from None
                    _log.warning("%s %s; it is taken for false", where, error)
                    return setting.read("false")
        return setting.default

    def _texts(self, setting: "Setting[object]") -> Iterator[tuple[str, str | None]]:
        for variable in setting.variables:
            yield variable, self._environ.get(variable)
        for key in setting.keys:
            found: object = self._section
            for name in key.split("."):
                found = getattr(found, "get", _nothing)(name)
            yield f"the profile's {key}", found if isinstance(found, str) else None
        for variable in setting.last:
            yield variable, self._environ.get(variable)


NO_SOURCES = SettingSources()


def _nothing(_name: str) -> None:
    """Return what a text says of names below it."""


class _NoServices:
    """A ``services`` section that is not there: an error for each setting that looks into it."""

    def __init__(self, profile: str, name: object) -> None:
        self._message = f"profile {profile!r} has services = {name}: there is no [services {name}]"

    def get(self, _name: str) -> None:
        """Refuse."""
        raise ConfigError(self._message)


def profile_section(profiles: Profiles, name: str, *, is_named: bool) -> Mapping[str, object]:
    """Return a profile, with its ``services`` section in place of that one's name."""
    section: Section | None = profiles.profiles.get(name)
    if section is None:
        if not is_named:
            return {}
        raise ConfigError(
            f"there is no profile {name!r} in the config file nor in the credentials file"
        )
    if not (services := section.get("services")):
        return section
    found = profiles.services.get(services) if isinstance(services, str) else None
    return {**section, "services": _NoServices(name, services) if found is None else found}
