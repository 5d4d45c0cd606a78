"""A setting: its default, its sources and its parser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, Self, TypeVar, cast, overload

from .._aws.endpoint import is_bucket_name
from .._errors import ConfigError
from .profiles import Profiles, Section

T_co = TypeVar("T_co", covariant=True)

_log = logging.getLogger("sagemaker_runtime_client")
_NOTHING: Mapping[str, str] = {}

# The maximum of a setting in seconds, about eleven and a half days.  If it is added to the current
# time, no clock overflows.
_LONGEST = 1_000_000

# The types of arguments, keyed by the type of the setting's default, for settings that accept
# several types.
_ARGUMENT_TYPES: dict[type, tuple[type, ...]] = {float: (float, int), tuple: (list, tuple)}


# The functions below parse setting values.  A parser accepts a string from an environment variable
# or a profile, and also a value of the setting's type from an argument.


def boolean(value: str | bool) -> bool:
    """Parse ``true`` or ``false`` in any letter case; return a bool unchanged."""
    word = str(value).lower()
    if word not in {"true", "false"}:
        raise ValueError("must be true or false")
    return word == "true"


def whole_number(value: str | int) -> int:
    """Parse a whole number of at least 1."""
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError("must be a whole number of at least 1")
    return number


def seconds(value: str | float) -> float:
    """Parse a number of seconds above 0 and up to 1,000,000."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST:
        raise ValueError(f"must be a number of seconds above 0 and up to {_LONGEST:,}")
    return number


def one_of(*choices: str, **others: str) -> Callable[[str], str]:
    """Return a parser that ignores case and accepts *choices*; *others* maps aliases to choices."""

    def read(text: str) -> str:
        word = others.get(text.lower(), text.lower())
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return read


def account_id(text: str) -> str:
    """Return *text* unchanged; it must be the id of an AWS account."""
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise ValueError("must be an AWS account id, which has 12 digits")
    return text


def locations(values: Sequence[str]) -> tuple[str, ...]:
    """Return the locations of buckets and of prefixes; a slash is appended to the name of a bucket.

    So a location ``s3://bucket/key`` is in one of them if its text starts with the result.
    """
    if not values:
        raise ValueError("must contain at least one location, such as s3://bucket/prefix/")
    return tuple(_location(number, value) for number, value in enumerate(values, 1))


def _location(number: int, value: object) -> str:
    scheme, _, path = value.partition("://") if isinstance(value, str) else ("", "", "")
    bucket, _, prefix = path.partition("/")
    if scheme != "s3" or not is_bucket_name(bucket) or (prefix and not prefix.endswith("/")):
        raise ValueError(
            f"must contain locations of the forms s3://bucket and s3://bucket/prefix/, but item "
            f"{number} has neither form"
        )
    return f"s3://{bucket}/{prefix}"


class HasSources:
    """The base class of classes whose attributes are `Setting` descriptors."""

    sources: SettingSources


class Setting(Generic[T_co]):
    """A descriptor that looks up a setting on first access and stores its value in the instance.

    A malformed value of a source raises an error only when the setting is first accessed.  The
    instance's attribute ``sources`` contains the `SettingSources`.

    Args:
        default: The value if no source has one.
        read: Parses a string or an argument.  It raises ValueError with the rule that the value
            breaks.
        variables: The names of environment variables.  The first variable that is set and not empty
            takes precedence.
        key: Profile keys, separated by spaces, that are looked up after the variables.  The key of
            a nested value consists of the keys that lead to it, joined by dots.
        last: The names of environment variables, separated by spaces, that are looked up after the
            profile.
        unless: The name of a boolean setting.  If that setting is true, no source is looked up, and
            only an argument can set this setting.
    """

    def __init__(
        self,
        default: T_co,
        read: Callable[[str], T_co],
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
        """Store the name of the attribute."""
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: HasSources, owner: type) -> T_co: ...
    def __get__(self, instance: HasSources | None, owner: type) -> Self | T_co:
        """Return the value and store it in *instance*; on the class, return the descriptor."""
        if instance is None:
            return self
        ignored = self.unless and getattr(instance, self.unless)
        value = self.default if ignored else instance.sources.value(self)
        vars(instance)[self.name] = value
        return value

    def argument(self, value: object) -> T_co:
        """Check and parse the value of an argument.

        Raises:
            ConfigError: The value is malformed or has the wrong type.
        """
        kind = str if self.default is None else type(self.default)
        kinds = _ARGUMENT_TYPES.get(kind, (kind,))
        if type(value) not in kinds and not (kind is str and isinstance(value, str)):
            names = " or ".join([kind.__name__ for kind in kinds])
            raise ConfigError(f"{self.name} must be of type {names}, not {type(value).__name__}")
        try:
            return self.read(cast("str", value))  # a parser also accepts the setting's type
        except ValueError as error:
            raise ConfigError(f"{self.name} {error}") from None


class SettingSources:
    """The sources of settings that are not passed as arguments: variables and a profile.

    Args:
        environ: The environment variables.
        section: The section of the profile.
        profile: The name of the profile, for messages.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = _NOTHING,
        section: Mapping[str, object] = _NOTHING,
        profile: str = "default",
    ) -> None:
        self._environ, self._section, self._profile = environ, section, profile

    def value(self, setting: Setting[T_co]) -> T_co:
        """Return the value of *setting*, or its default if no source has a value.

        A malformed boolean is treated as false with a warning, as in botocore.

        Raises:
            ConfigError: The value of a setting that is not boolean is malformed, or the config file
                lacks the ``services`` section of the profile.  The message mentions the variable or
                the profile.
        """
        for source, text in self._texts(setting):
            if text:
                try:
                    return setting.read(text)
                except ValueError as error:
                    if setting.read is not boolean:
                        raise ConfigError(f"{source} {error}") from None
                    _log.warning("%s %s; using false", source, error)
                    return setting.read("false")
        return setting.default

    def _texts(self, setting: Setting[object]) -> Iterator[tuple[str, str | None]]:
        for variable in setting.variables:
            yield variable, self._environ.get(variable)
        for key in setting.keys:
            found: object = self._section
            for name in key.split("."):
                found = getattr(found, "get", _nothing)(name)
            yield f"{key} in profile {self._profile!r}", found if isinstance(found, str) else None
        for variable in setting.last:
            yield variable, self._environ.get(variable)


NO_SOURCES = SettingSources()


def _nothing(_name: str) -> None:
    """Return None for any name; this replaces `get` for a value that is not a mapping."""


class _MissingServices:
    """The placeholder for a missing ``services`` section; each look-up in it raises ConfigError."""

    def __init__(self, profile: str, name: object) -> None:
        self._message = (
            f"profile {profile!r} has services = {name}, but the config file has no section "
            f"[services {name}]"
        )

    def get(self, _name: str) -> None:
        """Raise ConfigError, because the section is missing."""
        raise ConfigError(self._message)


def profile_section(profiles: Profiles, name: str, *, is_explicit: bool) -> Mapping[str, object]:
    """Return a profile's section; `services` in it is the content of ``[services NAME]``.

    If there is no such profile, return an empty mapping, or raise ConfigError if *is_explicit*.
    """
    section: Section | None = profiles.profiles.get(name)
    if section is None:
        if not is_explicit:
            return {}
        known = ", ".join(sorted(profiles.profiles)) or "none"
        raise ConfigError(
            f"profile {name!r} is neither in the config file nor in the credentials file: correct the "
            f"name, or add the profile with aws configure (profiles in these files: {known})"
        )
    if not (services := section.get("services")):
        return section
    found = profiles.services.get(services) if isinstance(services, str) else None
    return {**section, "services": _MissingServices(name, services) if found is None else found}
