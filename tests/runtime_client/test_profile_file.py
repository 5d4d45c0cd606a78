"""The shared files: what the SDKs' suite does not say of them."""

import os
from pathlib import Path

import pytest
from botocore.configloader import build_profile_map, load_config, raw_config_parse
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._profile_file import (
    file_locations,
    home_directory,
    parse_profiles,
    read_profiles,
)
from tests.runtime_client.scripted_io import ScriptedIO, run

CONFIG, CREDENTIALS = "/home/user/.aws/config", "/home/user/.aws/credentials"


def parse(config="", credentials=""):
    """Parse two texts."""
    return parse_profiles(("config", config), ("credentials", credentials))


def test_sections():
    """Profiles, sessions and services are told apart; what is none of them is left alone."""
    profiles = parse(
        "[profile a]\nsso_session = s\nservices = mine\ns3 =\n  addressing_style = path\n"
        "[sso-session s]\nsso_region = eu-west-1\n"
        "[services mine]\nsts =\n  endpoint_url = https://a\ns3 =\n  endpoint_url = https://b\n"
        "[plugins]\ncli = x\n[preview]\n"
    )
    nested = {"addressing_style": "path"}
    assert {"a": {"sso_session": "s", "services": "mine", "s3": nested}} == profiles.profiles
    assert {"s": {"sso_region": "eu-west-1"}} == profiles.sso_sessions
    urls = {"sts": {"endpoint_url": "https://a"}, "s3": {"endpoint_url": "https://b"}}
    assert {"mine": urls} == profiles.services


def test_a_key_is_of_one_file():
    """A key of the credentials file takes no token, secret or account from the config file."""
    theirs = "[profile a]\naws_access_key_id = 1\naws_secret_access_key = 2\n"
    theirs += "aws_session_token = 3\naws_security_token = 4\naws_account_id = 5\nregion = r\n"
    ours = "[a]\naws_access_key_id = 6\naws_secret_access_key = 7\n"
    expected = {"region": "r", "aws_access_key_id": "6", "aws_secret_access_key": "7"}
    assert {"a": expected} == parse(theirs, ours).profiles
    expected = {**expected, "aws_access_key_id": "1", "aws_secret_access_key": "2"}
    expected |= {"aws_session_token": "3", "aws_security_token": "4", "aws_account_id": "5"}
    assert {"a": {**expected, "output": "x"}} == parse(theirs, "[a]\noutput = x\n").profiles
    for rest in ("aws_session_token = 6\n", "aws_secret_access_key = 7\n", "aws_access_key_id =\n"):
        assert {"a": expected} == parse(theirs, f"[a]\n{rest}").profiles
    assert {"a": {"aws_account_id": "1"}} == parse("", "[a]\naws_account_id = 1\n").profiles


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
    ],
    ids=repr,
)
def test_as_botocore_reads_it(tmp_path, text):
    """Quoted names, indented comments and the rest are read as botocore reads them."""
    (tmp_path / "config").write_bytes(text.encode())
    theirs, ours = load_config(str(tmp_path / "config")), parse(text)
    assert theirs["profiles"] == ours.profiles
    assert theirs.get("sso_sessions", {}) == ours.sso_sessions
    assert theirs.get("services", {}) == ours.services


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
    """Profiles of any name and values are read as botocore reads them, but for its comments."""
    lines = []
    for name, section in profiles.items():
        lines.append(f"[profile {name}]")
        lines += [f"{key} = {value}" for key, value in section.items()]
    text = "\n".join(lines)
    path = tmp_path_factory.mktemp("any") / "config"
    path.write_text(text, "utf-8")
    theirs = build_profile_map(raw_config_parse(str(path), parse_subsections=False))["profiles"]
    # Python's parser keeps what stands behind " #" and " ;"; AWS's files have comments there.
    cut = {
        name: {
            key: f" {value}".split(" #")[0].split(" ;")[0].strip() for key, value in section.items()
        }
        for name, section in theirs.items()
    }
    assert cut == parse(text).profiles


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
    """A comment begins behind a blank, and not within quotes, as commands have them."""
    section = parse("", f"[a]\ncredential_process = {line}\n").profiles["a"]
    assert {"credential_process": value or line} == section


def test_indented_properties():
    """Properties may all be indented; what is indented further continues one, as for boto3."""
    text = "[default]\n  region = r\n\toutput = o\n  s3 =\n    addressing_style = path\n  a = b\n"
    expected = {"region": "r", "output": "o", "s3": {"addressing_style": "path"}, "a": "b"}
    assert {"default": expected} == parse(text.replace("\t", "  ")).profiles


@given(st.text(), st.text())
def test_any_text(config, credentials):
    """Whatever the files hold, they are read or refused."""
    refused = ""
    try:
        parse(config, credentials)
    except ConfigError as error:
        refused = error.message
    assert not refused or refused.startswith(("config, line ", "credentials, line "))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("canary = canary", "line 1: a [profile] must come before anything else"),
        ("\n\n[canary", "line 3: a section's name must end with ]"),
        ("[a] canary", "line 1: a section's name must end with ]"),
        ("[a]\nhidden canary", "line 2: a property must be like name = value"),
        ("[a]\n= canary", "line 2: a property must be like name = value"),
        ("[a]\n  canary", "line 2: a property must be like name = value"),
        ("[a]\ns3 =\n  canary", "line 3: a property must be like name = value"),
    ],
)
def test_malformed(text, says):
    """An error names file and line, and repeats nothing: it may be a secret that slipped."""
    with pytest.raises(ConfigError) as caught:
        parse("", text)
    assert f"credentials, {says}" == str(caught.value)


def test_continued_values():
    """A value that begins on its line and goes on below is one text."""
    section = parse("", "[a]\ncredential_process = vault\n  --role r\n").profiles["a"]
    assert {"credential_process": "vault\n--role r"} == section


def test_ignored_names_are_logged(caplog):
    """A section of a name that nobody can ask for is ignored, and the log says where."""
    assert {} == parse("[profile in valid]\nregion = r\n").profiles
    assert "config, line 1: a section of this name is ignored" in caplog.text


def test_reading():
    """Both files are read where they are; a byte order mark is none of the text."""
    files = {CONFIG: b"\xef\xbb\xbf[profile a]\nregion = \xc3\xa9\n", CREDENTIALS: "[a]\nx = 1\n"}
    io = ScriptedIO(files=files)
    assert {"a": {"region": "é", "x": "1"}} == run(read_profiles(io)).profiles
    assert [CONFIG, CREDENTIALS] == io.read


def test_no_files():
    """Without files there are no profiles."""
    assert {} == run(read_profiles(ScriptedIO())).profiles


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (b"\xff", "/other/file is not UTF-8 text"),
        (OSError(5, "Input/output error"), "/other/file cannot be read: Input/output error"),
        (PermissionError(13, "Permission denied"), "/other/file cannot be read: Permission denied"),
    ],
)
def test_unreadable(held, says):
    """A file that is there and cannot be read is an error that names it."""
    io = ScriptedIO(environ={"AWS_CONFIG_FILE": "/other/file"}, files={"/other/file": held})
    with pytest.raises(ConfigError) as caught:
        run(read_profiles(io))
    assert says == str(caught.value)


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
    """Where no variable names the user's folder, the system does."""
    assert expected == home_directory(environ, platform, "/root")


def test_folder():
    """A folder in a file's place, as Docker makes for a mount without a source, says nothing."""
    files = {CONFIG: IsADirectoryError(21, "Is a directory"), CREDENTIALS: b"[a]\nx = 1\n"}
    assert {"a": {"x": "1"}} == run(read_profiles(ScriptedIO(files=files))).profiles


@pytest.mark.parametrize(
    "path",
    ["$A/c", "${A}/c", "~/$B$A", "$C/${D}", "$", "${", "${}", "$A-$A_", "a$A", "$Ä", "~/${A"],
)
def test_variables(path, monkeypatch):
    """Variables in a path are expanded as botocore does it, with what the system has for that."""
    environ = {"AWS_CONFIG_FILE": path, "A": "/a", "B": "b", "HOME": "/h"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    expected = str(Path(os.path.expandvars(path)).expanduser())
    assert expected == file_locations(environ, "linux")[0]


def test_tilde():
    """In a variable ~ stands for the user's folder as well."""
    environ = {"AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "~user/x", "HOME": "/h"}
    assert ("/h/c", "~user/x") == file_locations(environ, "linux")
