"""
The shared files ``~/.aws/config`` and ``~/.aws/credentials``: where they are, and what they say.

Pure but for `read_profiles`, which reads their text.
A heading or a line that cannot be read is skipped with a warning, so that it costs no other profile.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html and file-location.html.
Where botocore 1.44 reads more than that page allows, it is followed (configloader.py, and Python's
RawConfigParser): ``:`` as a delimiter, profiles of any name, text behind a heading, ``[DEFAULT]``.
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
_Key = tuple[str, str]  # a section's kind and name
_Sections = dict[_Key, dict[str, str]]

_PROPERTY_NAME = ascii_letters + digits + "_./%@:+-"
_KINDS = ("profile", "sso-session", "services")
# Its properties are every other section's as well, unless that has its own.
_DEFAULTS = ("DEFAULT", "")
# A heading ends before a comment, or else at the last bracket: a name may have some.
_HEADING = r"\[(.+?)\]\s*(?:[#;].*)?\Z|\[(.+)\]"
# The part of a line before its comment.  A comment begins behind a blank, and outside of quotes.
_UNCOMMENTED = r"""(?s:(?>"[^"]*"|'[^']*'|.)*?)(?=[ \t][#;]|\Z)"""

# A key is taken from one file as a whole: a token of one and a secret of the other make no pair.
_KEY = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "aws_account_id",
)


class Profiles:
    """
    What the shared files say.

    Attributes:
        profiles: By name; the credentials file's values win over the config file's.
        sso_sessions: The ``[sso-session NAME]`` sections, by name.
        services: The ``[services NAME]`` sections, by name; their values are nested.
        with_key_in_credentials_file: The names of the profiles whose key is from there.
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
    """
    Return a path with a user's folder in place of a leading ``~`` or ``~name``.

    Args:
        path: As somebody wrote it.
        environ: The environment's variables.
        home: As `System.home`.
        platform: As `sys.platform` has it, such as ``linux`` or ``win32``.
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
    """
    Return where the config file and the credentials file are.

    Args:
        environ: ``AWS_CONFIG_FILE`` and ``AWS_SHARED_CREDENTIALS_FILE`` name files elsewhere;
            ``~``, ``~user``, ``$NAME`` and ``${NAME}`` in them are expanded.
        platform: As for `expand_user`.
        home: Likewise.
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
    variable = r"\$(?:(\w+)|\{(\w+)\})"  # one that is not set stays as it is
    return re.sub(variable, lambda x: environ.get(x[1] or x[2], x[0]), path, flags=re.ASCII)


async def read_profiles(system: System) -> Profiles:
    """
    Read and parse both files; a missing one is taken as empty.

    Raises:
        ConfigError: One is there and cannot be read; the message names it.
    """
    texts = [await _text(system, path) for path in file_locations(system.environ, home=system.home)]
    return parse_profiles(*texts)


async def _text(system: System, path: str) -> tuple[str, str]:
    try:
        return path, (await system.read_file(path, SHARED_FILE_SIZE) or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    except IsADirectoryError:  # as Docker makes one where the source of a mount is missing
        return path, ""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def parse_profiles(
    config: tuple[str, str] = ("config", ""), credentials: tuple[str, str] = ("credentials", "")
) -> Profiles:
    """Return what the two files say, each given as its path and its text."""
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
    """Return a section with those values as mappings that begin on a line of their own."""
    return {
        name: dict(_pairs(value)) if value.startswith("\n") else value
        for name, value in section.items()
    }


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, value.splitlines())):
        name, _, inner = line.partition("=")
        yield name.strip(), inner.strip()


def _config_key(heading: str) -> _Key | None:
    """Return the key of a section of the config file; None for a section that does not matter here."""
    if heading.rstrip() == "default":
        return "", "default"
    kind = next((kind for kind in _KINDS if heading.startswith(kind)), None)
    if kind is None:
        return None
    words = _words(heading)
    if len(words) != 2:
        raise ValueError(f"a section must be like [{kind} NAME], with quotes around blanks")
    return kind, words[1]


def _words(heading: str) -> list[str]:
    if not {*heading} & {*"'\"\\"}:
        return [word for word in re.split("[ \t]", heading) if word]
    import shlex  # quoted names are rare

    return shlex.split(heading)


class _Parser:
    """
    Reads one file line by line.

    Args:
        path: The file's path, for warnings.
        key: Makes a section's key of its heading: None where it does not matter, ValueError where
            it cannot be read.
    """

    def __init__(self, path: str, key: Callable[[str], _Key | None]) -> None:
        self.sections: _Sections = {}  # sections of one key are one
        self._path, self._key = path, key
        self._section: dict[str, str] | None = None  # the one in which the next line is
        self._name: str | None = None  # the property that the next line continues if it is indented
        self._depth = 0  # how far that property is indented

    def read(self, number: int, line: str) -> None:
        """Read a line, or warn that it cannot be read; it is not repeated, for it may hold a secret."""
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
            _log.warning("%s, line %d is ignored: %s", self._path, number, error)

    def _read_heading_or_property(self, text: str, line: str) -> None:
        if heading := re.match(_HEADING, text):
            self._section = {}  # what follows a name that cannot be read is dropped
            name = (heading[1] or heading[2]).lstrip(" \t")
            key = _DEFAULTS if name.rstrip() == "DEFAULT" else self._key(name)
            if key is not None:
                self._section = self.sections.setdefault(key, {})
        elif text[0] == "[":
            self._section = {}
            raise ValueError("a section's name must end with ]")
        elif self._section is None:
            self._section = {}
            raise ValueError("a [profile] must come before anything else")
        else:
            # Lines that continue one that cannot be read go the same way: they have no name.
            self._name, self._section[""] = "", "-"
            uncommented = (re.match(_UNCOMMENTED, line) or [line])[0]
            self._name, value = _property(uncommented, "=:")
            self._section[self._name] = value


def _continue(section: dict[str, str], name: str, text: str) -> None:
    """Read a further line of a value; in one that begins on a line of its own, each is a property."""
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
    """Return name and value of a property, or of one in a nested value."""
    name, *value = re.split(f"[{delimiters}]", text, maxsplit=1)
    if not value or not name.strip():
        raise ValueError("a property must be like name = value")
    return name.strip().lower(), value[0].strip()
