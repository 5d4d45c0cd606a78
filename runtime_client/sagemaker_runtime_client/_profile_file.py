"""
The shared files ``~/.aws/config`` and ``~/.aws/credentials``: where they are, and what they say.

Pure but for `read_profiles`, which asks the outside world for their text.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html and file-location.html.
Quoted names and indented comments are botocore 1.44's.
"""

import logging
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from string import ascii_letters, digits

from ._errors import ConfigError
from ._io import IO

_log = logging.getLogger("sagemaker_runtime_client")

Section = Mapping[str, "str | Mapping[str, str]"]
_Sections = dict[tuple[str, str], dict[str, str]]

_NAME = ascii_letters + digits + "_./%@:+-"
_BLANKS = " \t\r"
# What stands before a comment, which begins behind a blank and outside of quotes, as a command has them.
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


def home_directory(environ: Mapping[str, str], platform: str, fallback: str = "~") -> str:
    """
    Return the user's folder.

    Args:
        environ: The environment's variables.
        platform: As `sys.platform` has it, such as ``linux`` or ``win32``.
        fallback: The folder where no variable names one.
    """
    if home := environ.get("HOME"):
        return home
    if platform.startswith("win"):
        drive, path = environ.get("HOMEDRIVE", ""), environ.get("HOMEPATH", "")
        return environ.get("USERPROFILE") or drive + path or fallback
    return fallback


def file_locations(
    environ: Mapping[str, str], platform: str = sys.platform, home: str = "~"
) -> tuple[str, str]:
    """
    Return where the config file and the credentials file are.

    Args:
        environ: ``AWS_CONFIG_FILE`` and ``AWS_SHARED_CREDENTIALS_FILE`` name files elsewhere;
            ``~``, ``$NAME`` and ``${NAME}`` in them are expanded.
        platform: As for `home_directory`.
        home: Likewise its fallback.
    """
    home = home_directory(environ, platform, home)
    slash = "\\" if platform.startswith("win") else "/"
    locations = [
        environ.get(variable) or slash.join(("~", ".aws", name))
        for variable, name in (
            ("AWS_CONFIG_FILE", "config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        )
    ]
    config, credentials = [
        home + path[1:] if path.startswith(("~/", "~\\")) else path
        for path in (_expanded(location, environ) for location in locations)
    ]
    return config, credentials


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    """Return a path with what its ``$NAME`` and ``${NAME}`` stand for, as far as they are set."""
    return re.sub(
        r"\$(?:(\w+)|\{(\w+)\})",
        lambda match: environ.get(match[1] or match[2], match[0]),
        path,
        flags=re.ASCII,
    )


async def read_profiles(io: IO) -> Profiles:
    """
    Read and parse both files; one that is not there says nothing.

    Raises:
        ConfigError: One cannot be read or breaks the format; the message names file and line.
    """
    texts = [await _text(io, path) for path in file_locations(io.environ, home=io.home())]
    return parse_profiles(*texts)


async def _text(io: IO, path: str) -> tuple[str, str]:
    """Return a file's path and text."""
    try:
        return path, (await io.read_file(path) or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    except IsADirectoryError:  # as Docker makes one where the source of a mount is missing
        return path, ""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def parse_profiles(
    config: tuple[str, str] = ("config", ""), credentials: tuple[str, str] = ("credentials", "")
) -> Profiles:
    """
    Return what the two files say, each given as its path and its text.

    Raises:
        ConfigError: A text breaks the format; the message names file and line.
    """
    sections = _sections(*config, prefixed=True)
    if ("profile", "default") in sections:  # [profile default] puts [default] out of force
        sections.pop(("", "default"), None)
    profiles = {
        name: section for (kind, name), section in sections.items() if kind in {"profile", ""}
    }
    keyed: set[str] = set()
    for (_, name), theirs in _sections(*credentials, prefixed=False).items():
        ours = profiles.get(name, {})
        if theirs.get("aws_access_key_id"):
            keyed.add(name)
            profiles[name] = _without_key(ours) | theirs
        elif ours.get("aws_access_key_id"):
            profiles[name] = ours | _without_key(theirs)
        else:
            profiles[name] = ours | theirs
    return Profiles(
        {name: _nested(section) for name, section in profiles.items()},
        {name: _nested(sections[kind, name]) for kind, name in sections if kind == "sso-session"},
        {name: _nested(sections[kind, name]) for kind, name in sections if kind == "services"},
        keyed,
    )


def _without_key(section: Mapping[str, str]) -> dict[str, str]:
    """Return a section without its key, and without what goes with that."""
    return {name: value for name, value in section.items() if name not in _KEY}


def _nested(section: Mapping[str, str]) -> Section:
    """Return a section with those values as mappings that begin on a line of their own."""
    return {
        name: dict(_pairs(value)) if value.startswith("\n") else value
        for name, value in section.items()
    }


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    for line in value[1:].split("\n"):
        name, _, inner = line.partition("=")
        yield name.strip(_BLANKS), inner.strip(_BLANKS)


def _sections(path: str, text: str, *, prefixed: bool) -> _Sections:
    """
    Return a file's sections by kind and name; those of one name are one.

    Args:
        path: The file's path, for messages.
        text: What it holds.
        prefixed: Whether profiles stand as ``[profile NAME]``, as in the config file.
    """
    sections: _Sections = {}
    section: dict[str, str] | None = None
    name, depth = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(_BLANKS)
        if not stripped or stripped[0] in "#;":
            continue
        where = f"{path}, line {number}"
        continues = name and _depth(line) > depth
        if stripped[0] == "[" and not continues:
            kind = _kind(stripped, where, prefixed=prefixed)
            section, name = {} if kind is None else sections.setdefault(kind, {}), ""
        elif section is None:
            raise ConfigError(f"{where}: a [profile] must come before anything else")
        elif continues:
            if section[name][:1] in {"", "\n"}:
                _property(stripped, where)
            section[name] += "\n" + stripped
        else:
            depth = _depth(line)
            name, value = _property(_uncommented(line), where)
            section[name] = value
    return {kind: _named(section) for kind, section in sections.items()}


def _uncommented(line: str) -> str:
    """Return a line less the comment at its end."""
    match = re.match(_UNCOMMENTED, line)
    return match[0] if match else line


def _depth(line: str) -> int:
    """Return how far a line is indented; what is indented further than a property continues it."""
    return len(line) - len(line.lstrip(_BLANKS))


def _named(section: Mapping[str, str]) -> dict[str, str]:
    """Return a section without the properties whose names are none."""
    return {name: value for name, value in section.items() if _is_name(name)}


def _is_name(text: str) -> bool:
    """Tell whether *text* may be a name."""
    return bool(text) and not text.strip(_NAME)


def _kind(line: str, where: str, *, prefixed: bool) -> tuple[str, str] | None:
    """Return kind and name of a section from its first line, or None if nobody may read it."""
    heading, bracket, comment = line.partition("]")
    if not bracket or comment.strip(_BLANKS)[:1] not in {"", "#", ";"}:
        raise ConfigError(f"{where}: a section's name must end with ]")
    kind, _, name = heading[1:].strip(_BLANKS).replace("\t", " ").partition(" ")
    if not name:  # [default], or any profile of the credentials file
        known = kind == "default" or not prefixed
        return ("", kind) if known and _is_name(kind) else None
    name = name.strip(_BLANKS)
    quoted = re.fullmatch(r"(['\"])(.+)\1", name)
    if not prefixed or not (quoted or _is_name(name)):
        _log.warning("%s: a section of this name is ignored", where)
        return None
    return kind, quoted[2] if quoted else name


def _property(line: str, where: str) -> tuple[str, str]:
    """Return name and value of a property, or of one in a nested value."""
    name, equals, value = line.partition("=")
    if not equals or not name.strip(_BLANKS):
        raise ConfigError(f"{where}: a property must be like name = value")
    return name.strip(_BLANKS).lower(), value.strip(_BLANKS)
