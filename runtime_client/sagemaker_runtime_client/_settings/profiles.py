"""The shared files ``~/.aws/config`` and ``~/.aws/credentials``: their locations and their format.

Only `read_profiles` reads files.  A malformed line is skipped with a warning, so that the other
profiles remain usable.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html and file-location.html.
Like botocore 1.44 (configloader.py and Python's RawConfigParser), this parser accepts more than
these pages allow: ``:`` as a delimiter, any profile name, text after a heading, and ``[DEFAULT]``.
"""

import logging
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from string import ascii_letters, digits

from .._errors import ConfigError
from .._io.system import System
from .._limits import SHARED_FILE_SIZE

_log = logging.getLogger("sagemaker_runtime_client")

Section = Mapping[str, "str | Mapping[str, str]"]
_Key = tuple[str, str]  # the kind and the name of a section
_Sections = dict[_Key, dict[str, str]]

_PROPERTY_NAME = ascii_letters + digits + "_./%@:+-"
_KINDS = ("profile", "sso-session", "services")
# A property of [DEFAULT] applies to every other section that does not define the property.
_DEFAULTS = ("DEFAULT", "")
# A heading ends before a comment, or else at the last closing bracket.  Names may contain brackets.
_HEADING = r"\[(.+?)\]\s*(?:[#;].*)?\Z|\[(.+)\]"
# Matches the part of a line before a comment.  A comment begins after a space, outside quotes.
_UNCOMMENTED = r"""(?s:(?>"[^"]*"|'[^']*'|.)*?)(?=[ \t][#;]|\Z)"""

# All of these values of a profile are read from the same file, because the secret key in one file
# does not belong to the access key in the other.
_KEY = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "aws_account_id",
)


class Profiles:
    """The parsed shared files.

    Attributes:
        profiles: The profiles, keyed by name.  Values from the credentials file override values
            from the config file, but all values in `_KEY` come from the same file.
        sso_sessions: The ``[sso-session NAME]`` sections, keyed by name.
        services: The ``[services NAME]`` sections, keyed by name.  Each section maps the name of a
            service to a mapping of the service's settings.
        with_key_in_credentials_file: The names of the profiles that have an access key in the
            credentials file.
    """

    __slots__ = ("profiles", "sso_sessions", "services", "with_key_in_credentials_file")

    def __init__(
        self,
        profiles: Mapping[str, Section] | None = None,
        sso_sessions: Mapping[str, Section] | None = None,
        services: Mapping[str, Section] | None = None,
        with_key_in_credentials_file: Collection[str] = (),
    ) -> None:
        self.profiles = profiles or {}
        self.sso_sessions = sso_sessions or {}
        self.services = services or {}
        self.with_key_in_credentials_file = with_key_in_credentials_file


NO_PROFILES = Profiles()


def expand_user(
    path: str, environ: Mapping[str, str], home: Callable[[str], str], platform: str = sys.platform
) -> str:
    """Replace a leading ``~`` or ``~name`` in *path* with the home directory of the user.

    Args:
        path: The path to expand.
        environ: The environment variables.
        home: Returns the home directory of the user with a given name, like `System.home`; an empty
            name means the current user.
        platform: A value of `sys.platform`, such as ``linux`` or ``win32``.
    """
    if not path.startswith("~"):
        return path
    user, *_ = re.split(r"[/\\]", path[1:], maxsplit=1)
    folder = "" if user else environ.get("HOME", "")
    if not user and not folder and platform.startswith("win"):
        drive, rest = environ.get("HOMEDRIVE", ""), environ.get("HOMEPATH", "")
        folder = environ.get("USERPROFILE") or drive + rest
    return ((folder or home(user)).rstrip("/") + path[1 + len(user) :]) or "/"


def file_locations(
    environ: Mapping[str, str],
    platform: str = sys.platform,
    home: Callable[[str], str] = "~{}".format,
) -> tuple[str, str]:
    """Return the paths of the config file and of the credentials file.

    Args:
        environ: The environment variables.  ``AWS_CONFIG_FILE`` and ``AWS_SHARED_CREDENTIALS_FILE``
            override the default paths and may contain ``~``, ``~user``, ``$NAME`` and ``${NAME}``.
        platform: See `expand_user`.
        home: See `expand_user`.
    """
    slash = "\\" if platform.startswith("win") else "/"
    config, credentials = [
        expand_user(_expand_variables(path, environ), environ, home, platform)
        for path in (
            environ.get("AWS_CONFIG_FILE") or slash.join(("~", ".aws", "config")),
            environ.get("AWS_SHARED_CREDENTIALS_FILE") or slash.join(("~", ".aws", "credentials")),
        )
    ]
    return config, credentials


def _expand_variables(path: str, environ: Mapping[str, str]) -> str:
    variable = r"\$(?:(\w+)|\{(\w+)\})"  # a reference to an unset variable is not replaced
    return re.sub(variable, lambda x: environ.get(x[1] or x[2], x[0]), path, flags=re.ASCII)


async def read_profiles(system: System) -> Profiles:
    """Read and parse the config file and the credentials file.  A missing file is treated as empty.

    Raises:
        ConfigError: A file cannot be read or is not valid UTF-8.  The message contains its path.
    """
    texts = [await _text(system, path) for path in file_locations(system.environ, home=system.home)]
    return parse_profiles(*texts)


async def _text(system: System, path: str) -> tuple[str, str]:
    try:
        return path, (await system.read_file(path, SHARED_FILE_SIZE) or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8; save it in this encoding") from None
    except IsADirectoryError:  # Docker creates such a directory if the source of a mount is missing
        return path, ""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def parse_profiles(
    config: tuple[str, str] = ("config", ""), credentials: tuple[str, str] = ("credentials", "")
) -> Profiles:
    """Parse the config file and the credentials file, each passed as a pair of path and text."""
    sections = _sections(*config, _config_key)
    if ("profile", "default") in sections:  # [profile default] overrides [default]
        sections.pop(("", "default"), None)
    profiles = {
        name: section for (kind, name), section in sections.items() if kind in {"profile", ""}
    }
    stronger = _sections(*credentials, lambda name: ("", name.rstrip(" \t")))
    for (_, name), section in stronger.items():
        profiles[name] = _merged(profiles.get(name, {}), section)
    return Profiles(
        {name: _nested(section) for name, section in profiles.items()},
        {name: _nested(sections[kind, name]) for kind, name in sections if kind == "sso-session"},
        {name: _nested(sections[kind, name]) for kind, name in sections if kind == "services"},
        {name for (_, name), section in stronger.items() if section.get("aws_access_key_id")},
    )


def _merged(weaker: Mapping[str, str], stronger: Mapping[str, str]) -> dict[str, str]:
    if stronger.get("aws_access_key_id"):
        weaker = _without_key(weaker)
    elif weaker.get("aws_access_key_id"):
        stronger = _without_key(stronger)
    return {**weaker, **stronger}


def _without_key(section: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in section.items() if name not in _KEY}


def _nested(section: Mapping[str, str]) -> Section:
    """Return *section* with nested values, which begin on a new line, as mappings."""
    return {
        name: dict(_pairs(value)) if value.startswith("\n") else value
        for name, value in section.items()
    }


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, value.splitlines())):
        name, _, inner = line.partition("=")
        yield name.strip(), inner.strip()


def _config_key(heading: str) -> _Key | None:
    """Return the key of the config file section with *heading*; None if the section is not used."""
    if heading.rstrip() == "default":
        return "", "default"
    kind = next((kind for kind in _KINDS if heading.startswith(kind)), None)
    if kind is None:
        return None
    words = _words(heading)
    if len(words) != 2:
        raise ValueError(
            f"the heading must have the form [{kind} NAME]; quote a name that contains spaces"
        )
    return kind, words[1]


def _words(heading: str) -> list[str]:
    if not {*heading} & {*"'\"\\"}:
        return [word for word in re.split("[ \t]", heading) if word]
    import shlex  # imported only here, because quoted names are rare

    return shlex.split(heading)


class _Parser:
    """Parses one file line by line.

    Args:
        path: The path of the file, for warnings.
        key: Returns the key of a section from its heading, or None if the section is not used.  It
            raises ValueError if the heading is malformed.
    """

    def __init__(self, path: str, key: Callable[[str], _Key | None]) -> None:
        self.sections: _Sections = {}  # the properties of each section, keyed by kind and name
        self._path, self._key = path, key
        self._section: dict[str, str] | None = None  # the current section
        self._name: str | None = None  # the name of the property that an indented line continues
        self._depth = 0  # the indentation of that property

    def read(self, number: int, line: str) -> None:
        """Parse a line; warnings omit the content of the line, because it may contain a secret."""
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if text[:1] in {"#", ";"}:
            return
        try:
            if self._section and self._name is not None and (not text or depth > self._depth):
                _continue(self._section, self._name, text)
            elif text:
                self._name, self._depth = None, depth
                self._read_heading_or_property(text, line)
        except ValueError as error:
            _log.warning("%s, line %d was ignored: %s", self._path, number, error)

    def _read_heading_or_property(self, text: str, line: str) -> None:
        if heading := re.match(_HEADING, text):
            self._section = {}  # discards the lines below a malformed or unused heading
            name = (heading[1] or heading[2]).lstrip(" \t")
            key = _DEFAULTS if name.rstrip() == "DEFAULT" else self._key(name)
            if key is not None:
                self._section = self.sections.setdefault(key, {})
        elif text[0] == "[":
            self._section = {}
            raise ValueError("a section heading must end with ]")
        elif self._section is None:
            self._section = {}
            raise ValueError("a setting must be below a section heading such as [default]")
        else:
            # If this line is malformed, the lines that continue it are added to a property with an
            # empty name, which is discarded.
            self._name, self._section[""] = "", "-"
            uncommented = (re.match(_UNCOMMENTED, line) or [line])[0]
            self._name, value = _property(uncommented, "=:")
            self._section[self._name] = value


def _continue(section: dict[str, str], name: str, text: str) -> None:
    """Append *text* to the value of *name*; in a nested value, *text* must be a property."""
    if text and section[name][:1] in {"", "\n"}:
        _property(text, "=")
    section[name] += "\n" + text


def _sections(path: str, text: str, key: Callable[[str], _Key | None]) -> _Sections:
    parser = _Parser(path, key)
    for number, line in enumerate(re.split("\r\n?|\n", text), start=1):
        parser.read(number, line)
    defaults = parser.sections.pop(_DEFAULTS, {})
    return {
        key: {
            name: value.rstrip()
            for name, value in (defaults | section).items()
            if name and not name.strip(_PROPERTY_NAME)
        }
        for key, section in parser.sections.items()
    }


def _property(text: str, delimiters: str) -> tuple[str, str]:
    """Return the name and the value in *text*, the line of a property."""
    name, *value = re.split(f"[{delimiters}]", text, maxsplit=1)
    if not value or not name.strip():
        raise ValueError("a setting must have the form name = value")
    return name.strip().lower(), value[0].strip()
