"""The AWS SDKs' cases for the shared files: their content and their location."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import Profiles, file_locations, parse_profiles

SUITES = Path(os.environ["SUITES"])
PARSER = json.loads((SUITES / "profile-parser.json").read_text("utf-8"))["tests"]
LOCATION = json.loads((SUITES / "profile-file-location.json").read_text("utf-8"))["tests"]

# Values that botocore finds but the SDKs of the suite do not.  This package follows botocore: where
# boto3 works, this works.
BEYOND = {
    "Profile names support alphanumeric characters and - / . % @ _ : +": {"foo!bar": {}},
    "Invalid profile names are ignored.": {"in valid 2": {"name2": "value2"}},
    "Credentials profiles with prefix are ignored.": {"profile foo": {"name": "value"}},
    "profile name with extra whitespace in credentials": {"profile bar": {}},
    "Property definitions must contain an equals sign.": {"foo": {"key": "value"}},
}
# The profiles that this package reads from files that the SDKs of the suite reject.
KEPT = {
    "Continuations reset with profile definitions.": {"foo": {"name": "value"}},
    "Invalid continuation": {"foo": {"name": "value"}},
    "Invalid sub-property definitions cause an error.": {"foo": {"s3": ""}},
    "Sub-property definitions cannot have an empty name.": {"foo": {"s3": ""}},
}


def flat(sections):
    """Return sections in the form of the suite, with nested values as text."""
    return {name: {key: text(value) for key, value in of.items()} for name, of in sections.items()}


def text(value):
    """Return a value as text."""
    if isinstance(value, str):
        return value
    return "".join(f"\n{name} = {inner}".rstrip() for name, inner in value.items())


def test_the_suites_are_whole():
    """All 65 and 9 cases are run."""
    assert (len(PARSER), len(LOCATION)) == (65, 9)


@pytest.mark.parametrize("case", PARSER, ids=lambda case: case["name"])
def test_parser(case, caplog):
    """Each pair of files has the profiles of the case, and those that only botocore finds.

    If the SDKs reject a file, a warning names the line, and the rest of the file is used.
    """
    files = [("config", case["input"].get("configFile", ""))]
    files += [("credentials", case["input"].get("credentialsFile", ""))]
    profiles = parse_profiles(*files)
    beyond = BEYOND.get(case["name"], {})
    if "errorContaining" in case["output"]:
        left = {name: {} for name in ("foo",) if "[profile foo]" in files[0][1]}
        left |= KEPT.get(case["name"], {}) | beyond
        assert flat(profiles.profiles) == left
        assert beyond or "config, line " in caplog.text
    else:
        expected = case["output"]["config"]
        assert flat(profiles.profiles) == expected["profiles"] | beyond
        assert flat(profiles.sso_sessions) == expected.get("sso_sessions", {})


@pytest.mark.parametrize("case", LOCATION, ids=lambda case: case["name"])
def test_location(case):
    """The files have the location of the case, and its profile is selected."""
    environ = case["environment"]
    expected = (case["configLocation"], case["credentialsLocation"])
    assert file_locations(environ, case["platform"]) == expected
    profile = case.get("profile", "default")
    assert Config.resolve({}, environ, Profiles({profile: {}})).profile == profile
