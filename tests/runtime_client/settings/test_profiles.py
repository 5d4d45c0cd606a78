"""Tests of parsing the shared config and credentials files, in addition to the tests that the AWS
SDKs share.
"""

import os
import pwd
import re
from pathlib import Path

import pytest
from botocore.configloader import build_profile_map, load_config, raw_config_parse
from botocore.exceptions import ConfigParseError
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._settings.profiles import (
    expand_user,
    file_locations,
    parse_profiles,
    read_profiles,
)
from tests.runtime_client.scripted_io import ScriptedIO, run

CONFIG, CREDENTIALS = "/home/user/.aws/config", "/home/user/.aws/credentials"


def parse(config="", credentials=""):
    """Parse the contents of a config file and of a credentials file."""
    return parse_profiles(("config", config), ("credentials", credentials))


def test_sections():
    """Profiles, SSO sessions and services sections are stored separately.

    Sections of other types are ignored.
    """
    profiles = parse(
        "[profile a]\nsso_session = s\nservices = mine\ns3 =\n  addressing_style = path\n"
        "[sso-session s]\nsso_region = eu-west-1\n"
        "[services mine]\nsts =\n  endpoint_url = https://a\ns3 =\n  endpoint_url = https://b\n"
        "[plugins]\ncli = x\n[preview]\n"
    )
    nested = {"addressing_style": "path"}
    assert profiles.profiles == {"a": {"sso_session": "s", "services": "mine", "s3": nested}}
    assert profiles.sso_sessions == {"s": {"sso_region": "eu-west-1"}}
    urls = {"sts": {"endpoint_url": "https://a"}, "s3": {"endpoint_url": "https://b"}}
    assert profiles.services == {"mine": urls}


def test_a_key_is_of_one_file():
    """If one file contains a complete access key, the key is not combined with a session token,
    secret key or account ID from the other file.
    """
    theirs = "[profile a]\naws_access_key_id = 1\naws_secret_access_key = 2\n"
    theirs += "aws_session_token = 3\naws_security_token = 4\naws_account_id = 5\nregion = r\n"
    ours = "[a]\naws_access_key_id = 6\naws_secret_access_key = 7\n"
    expected = {"region": "r", "aws_access_key_id": "6", "aws_secret_access_key": "7"}
    assert parse(theirs, ours).profiles == {"a": expected}
    expected = {**expected, "aws_access_key_id": "1", "aws_secret_access_key": "2"}
    expected |= {"aws_session_token": "3", "aws_security_token": "4", "aws_account_id": "5"}
    assert parse(theirs, "[a]\noutput = x\n").profiles == {"a": {**expected, "output": "x"}}
    for rest in ("aws_session_token = 6\n", "aws_secret_access_key = 7\n", "aws_access_key_id =\n"):
        assert parse(theirs, f"[a]\n{rest}").profiles == {"a": expected}
    assert parse("", "[a]\naws_account_id = 1\n").profiles == {"a": {"aws_account_id": "1"}}


@pytest.mark.parametrize(
    "text",
    [
        '[profile "two words"]\nregion = r\n',
        "[profile 'two words']\nregion = r\n",
        "[profile a]\n  # indented\n  ; too\nregion = r\n",
        "[profile a]\nregion = r\n  # indented\noutput = x\n",
        "[profile a]\ns3 =\n  # commented = out\n  addressing_style = path\n",
        "[profile a]\r\nregion = r\r\ns3 =\r\n  addressing_style = path\r\n",
        "[profile a]\nregion = r\n[sso-session a]\nsso_region = q\n[services a]\nsts =\n  a = b\n",
        "[default]\nregion = r\n[profile default]\nregion = q\n",
        "[profile a]\nregion = r\n[profile 'b#;c'] # d\nregion = s\n",
        "  [default]\n  region = r\n  [profile b]\n  s3 =\n    a = b\n  region = s\n",
        "[default]\n  region = r\n  [profile b]\n  region = s\n[profile c]\nregion = t\n",
        "[profile Team-[prod]/Admin]\nregion = r\n[profile good]\nregion = s\n",
        "[profile a] and more\nregion = r\n[profile b] x [c]\nregion = s\n",
        "[profile a]\nregion: r\nrole_arn = arn:aws:iam\noutput : x = y\nb == c\nd =: e\n",
        "[profile a]\rregion = r\r\r[profile b]\rregion = s\r\noutput = t\r",
        "\f[profile a]\f\n\fregion = r\f\n",
        "\xa0[profile a]\xa0\nregion\xa0=\xa0r\xa0\n\u3000\noutput = \u2003x\u2003\n",
        "[profile Acme(prod)]\na = 1\n[profile prod,eu]\na = 2\n[profile Büro]\na = 3\n[profile p!]\n",
        '[profile "a"b]\na = 1\n[profile c\\ d]\na = 2\n[profile it\'s]\na = 3\n[profile  \te]\na = 4\n',
        "[profiles a]\na = 1\n[sso-sessions b]\na = 2\n[services-of c]\ns3 =\n  a = b\n[profile]\n",
        "[DEFAULT]\nregion = r\n[profile a]\nregion = s\n[services b]\ns3 =\n  c = d\n[profile e]\n",
        "[profile a]\nb = c\n\n  d\n \n  e\n\ns3 =\n\n  f = g\n\n  h = i\n\n[profile j]\n",
        "[profile a]\nb =\n\n\nc = d\n",
    ],
    ids=repr,
)
def test_as_botocore_reads_it(tmp_path, text):
    """Quoted names, indented comments and other details of a config file are parsed as in botocore."""
    (tmp_path / "config").write_bytes(text.encode())
    theirs, ours = load_config(str(tmp_path / "config")), parse(text)
    assert ours.profiles == theirs["profiles"]
    assert ours.sso_sessions == theirs.get("sso_sessions", {})
    assert ours.services == theirs.get("services", {})


NAMES = st.text("abcXYZ019-_./%@:+", min_size=1, max_size=8)
VALUES = st.text("abc XYZ=019-_/;#[]é", max_size=12).map(str.strip)


@given(
    st.dictionaries(
        NAMES.filter(lambda name: name.lower() != "default"),
        st.dictionaries(st.from_regex("[a-z][a-z_]{0,8}", fullmatch=True), VALUES, max_size=4),
        max_size=4,
    )
)
def test_any_profile(tmp_path_factory, profiles):
    """Profiles with any names and values are parsed as in botocore, except that comments after
    values are removed.
    """
    lines = []
    for name, section in profiles.items():
        lines.append(f"[profile {name}]")
        lines += [f"{key} = {value}" for key, value in section.items()]
    text = "\n".join(lines)
    path = tmp_path_factory.mktemp("any") / "config"
    path.write_text(text, "utf-8")
    theirs = build_profile_map(raw_config_parse(str(path), parse_subsections=False))["profiles"]
    # Python's parser, which botocore uses, includes text after " #" and " ;" in a value. In the AWS
    # files, such text is a comment.
    cut = {
        name: {
            key: f" {value}".split(" #")[0].split(" ;")[0].strip() for key, value in section.items()
        }
        for name, section in theirs.items()
    }
    assert parse(text).profiles == cut


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('bash -c "true ; run # it"', None),
        ("bash -c 'true ; run' --a", None),
        ("""a "it's ; b" --c""", None),
        ("""a 'b " # c' ; d""", """a 'b " # c'"""),
        ('a "b ; c" # d ; e', 'a "b ; c"'),
        ("it's # not quoted", "it's"),
        ('a " ; b', 'a "'),
        ("a;b#c", None),
        ("a\t;b", "a"),
    ],
)
def test_comments(line, value):
    """A comment after a value begins with # or ; and follows a space or tab that is outside of
    quotes.
    """
    section = parse("", f"[a]\ncredential_process = {line}\n").profiles["a"]
    assert section == {"credential_process": value or line}


def test_indented_properties():
    """All properties of a section may be indented.

    A line that is indented further than the previous property continues that property, as in boto3.
    """
    text = "[default]\n  region = r\n\toutput = o\n  s3 =\n    addressing_style = path\n  a = b\n"
    expected = {"region": "r", "output": "o", "s3": {"addressing_style": "path"}, "a": "b"}
    assert parse(text.replace("\t", "  ")).profiles == {"default": expected}


# The following strategies generate parts of files with typical content and typical mistakes. They
# generate no comments after values, because boto3 parses such comments as part of the value, and no
# unclosed brackets, because boto3 parses lines with such brackets as properties.
WORD = st.text("ab:=[]()!,'\"\\é\xa0/ \t", max_size=6)
INDENT = st.sampled_from(["", "", " ", "   "])
KIND = st.sampled_from(["profile ", "profiles ", "sso-session "])
HEADINGS = st.builds("[{}{}".format, KIND, WORD) | st.sampled_from(
    ["[default", "[DEFAULT", "[plugins", "[profile"]
)
BEHIND = st.sampled_from(["", "", " ", "\f", " and [more"])
PROPERTIES = st.dictionaries(
    st.builds("{}{}".format, INDENT, st.sampled_from(["a", "B_c", "s3", "role_arn", "x y"])),
    st.builds("{}{}".format, st.sampled_from(["=", " = ", ": ", "\xa0:"]), WORD),
    max_size=3,
)
REST = st.lists(
    st.sampled_from(["", "  ", "# a = b", "  ; c", "\f", "    d = e", "    f", "\t\tg: h"]),
    max_size=3,
)


def plain(pair):
    """Return a key that is the same for equivalent section headings.

    No generated file contains two equivalent headings, because boto3 uses only the last of such
    sections.
    """
    return re.sub(r"[\s'\"\\]|profiles?", "", pair[0])


@st.composite
def files(draw):
    """Draw the lines of a config file."""
    lines = draw(st.lists(st.sampled_from(["", "# a", "\ufeff", "junk"]), max_size=1))
    pairs = st.tuples(HEADINGS, PROPERTIES)
    for heading, properties in draw(st.lists(pairs, max_size=4, unique_by=plain)):
        lines.append(f"{heading}]{draw(BEHIND)}")
        for name, value in properties.items():
            lines += [f"{name}{value}", *draw(REST)]
    return lines


@given(files(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_file(tmp_path_factory, lines, end):
    """If botocore can parse a file, this client finds the same profiles in the file, except for
    properties whose names the SDKs ignore.
    """
    path = tmp_path_factory.mktemp("any") / "config"
    path.write_bytes(end.join(lines).encode())
    try:
        theirs = load_config(str(path))
    except ConfigParseError:
        theirs = None
    ours = parse(end.join(lines))
    assert theirs is None or ours.profiles == named(theirs["profiles"])


def named(profiles):
    """Return the profiles without the properties whose names contain invalid characters, because
    the SDKs ignore such properties.
    """
    return {
        name: {
            key: value for key, value in of.items() if not re.search(r"[^\w./%@:+-]", key, re.ASCII)
        }
        for name, of in profiles.items()
    }


@given(st.text(), st.text())
def test_any_text(config, credentials):
    """Parsing any text as a config file and as a credentials file raises no error."""
    parse(config, credentials)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "canary = canary",
            "line 1 was ignored: a setting must be below a section heading such as [default]",
        ),
        ("\n\n[canary", "line 3 was ignored: a section heading must end with ]"),
        ("[a]\nhidden canary", "line 2 was ignored: a setting must have the form name = value"),
        ("[a]\n= canary", "line 2 was ignored: a setting must have the form name = value"),
        ("[a]\n  canary", "line 2 was ignored: a setting must have the form name = value"),
        ("[a]\ns3 =\n  canary", "line 3 was ignored: a setting must have the form name = value"),
    ],
)
def test_malformed(text, says, caplog):
    """A malformed line is skipped with a warning that does not contain the line, because the line
    may contain a secret.
    """
    profiles = parse("", f"{text}\n[good]\nregion = r\n").profiles
    assert profiles["good"] == {"region": "r"}
    assert caplog.messages == [f"credentials, {says}"]
    assert "canary" not in f"{profiles}"


@pytest.mark.parametrize(
    "heading", ["[profile canary", "[profile a b]", "[profile it's]", "[profile]"]
)
def test_no_section_takes_what_is_not_its_own(heading):
    """Properties below a malformed heading do not become part of the previous section, because they
    may belong to another account.
    """
    text = f"[profile a]\nregion = r\n{heading}\nregion = s\noutput = t\n[profile b]\n"
    assert parse(text).profiles == {"a": {"region": "r"}, "b": {}}


def test_lines_that_continue_what_cannot_be_read():
    """Lines that continue a malformed line are skipped as well."""
    text = "[a]\ns3\n  region = r\n  x\noutput = t\n"
    assert parse("", text).profiles == {"a": {"output": "t"}}


@given(st.text("ab[]()!,'\"é\xa0/: ", min_size=1).map(lambda name: name.strip(" ")).filter(bool))
def test_any_name_in_the_credentials_file(tmp_path_factory, name):
    """A profile in the credentials file may have any name, as in botocore."""
    path = tmp_path_factory.mktemp("any") / "credentials"
    path.write_text(f"[{name}]\nregion = r\n", "utf-8")
    assert parse("", path.read_text("utf-8")).profiles == raw_config_parse(str(path))


def test_continued_values():
    """A value and its continuation lines form one string with line breaks."""
    section = parse("", "[a]\ncredential_process = vault\n  --role r\n").profiles["a"]
    assert section == {"credential_process": "vault\n--role r"}


def test_ignored_names_are_logged(caplog):
    """A section with an invalid heading is skipped with a warning that shows the correct form of a
    heading.
    """
    assert parse("[profile in valid]\nregion = r\n[plugins]\na = b\n").profiles == {}
    reason = "the heading must have the form [profile NAME]; quote a name that contains spaces"
    assert caplog.messages == [f"config, line 1 was ignored: {reason}"]


def test_reading():
    """Both files are read from their default paths, and a leading byte order mark is removed."""
    files = {CONFIG: b"\xef\xbb\xbf[profile a]\nregion = \xc3\xa9\n", CREDENTIALS: "[a]\nx = 1\n"}
    io = ScriptedIO(files=files)
    assert run(read_profiles(io)).profiles == {"a": {"region": "é", "x": "1"}}
    assert io.read == [CONFIG, CREDENTIALS]


def test_no_files():
    """If neither the config file nor the credentials file exists, there are no profiles, and no
    error is raised.
    """
    assert run(read_profiles(ScriptedIO())).profiles == {}


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (b"\xff", "/other/file is not valid UTF-8; save it in this encoding"),
        (OSError(5, "Input/output error"), "/other/file cannot be read: Input/output error"),
        (PermissionError(13, "Permission denied"), "/other/file cannot be read: Permission denied"),
    ],
)
def test_unreadable(held, says):
    """If a file cannot be read or is not valid UTF-8, a ConfigError that mentions the file is
    raised.
    """
    io = ScriptedIO(environ={"AWS_CONFIG_FILE": "/other/file"}, files={"/other/file": held})
    with pytest.raises(ConfigError) as caught:
        run(read_profiles(io))
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", "/root"),
        ({"HOME": ""}, "linux", "/root"),
        ({"USERPROFILE": "C:\\u"}, "linux", "/root"),
        ({}, "win32", "/root"),
        ({"USERPROFILE": "C:\\u"}, "win32", "C:\\u"),
        ({"HOMEPATH": "\\u"}, "win32", "\\u"),
    ],
    ids=str,
)
def test_home(environ, platform, expected):
    """If HOME is not set, ~ is expanded to the user's home directory, but on Windows, USERPROFILE
    and HOMEPATH take precedence over that directory.
    """
    assert expand_user("~", environ, "/root{}".format, platform) == expected


def test_folder():
    """If the path of a config file is a directory, the directory is ignored, because Docker creates
    a directory there if the source of a mount is missing.
    """
    files = {CONFIG: IsADirectoryError(21, "Is a directory"), CREDENTIALS: b"[a]\nx = 1\n"}
    assert run(read_profiles(ScriptedIO(files=files))).profiles == {"a": {"x": "1"}}


@pytest.mark.parametrize(
    "path",
    ["$A/c", "${A}/c", "~/$B$A", "$C/${D}", "$", "${", "${}", "$A-$A_", "a$A", "$Ä", "~/${A"],
)
def test_variables(path, monkeypatch):
    """Environment variables in the path of a config file are expanded as in botocore."""
    environ = {"AWS_CONFIG_FILE": path, "A": "/a", "B": "b", "HOME": "/h"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    expected = str(Path(os.path.expandvars(path)).expanduser())
    assert file_locations(environ, "linux")[0] == expected


@pytest.mark.parametrize(
    "path", ["~", "~/c", "~{user}", "~{user}/c", "~nobody-of-this-name/c", "a~/c"]
)
@pytest.mark.parametrize("home", ["/h", "/", None])
def test_tilde(path, home, monkeypatch):
    """A leading ~ or ~user in a path is expanded to the user's home directory, as in botocore."""
    environ = {} if home is None else {"HOME": home}
    monkeypatch.delenv("HOME")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    path = path.format(user=pwd.getpwuid(os.getuid()).pw_name)
    expected = os.path.expanduser(path)  # noqa: PTH111 (what botocore calls)
    assert expand_user(path, environ, System.home) == expected
    environ |= {"AWS_CONFIG_FILE": path, "AWS_SHARED_CREDENTIALS_FILE": path}
    assert file_locations(environ, "linux", System.home) == (expected, expected)
