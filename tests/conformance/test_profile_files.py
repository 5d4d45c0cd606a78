"""Test how shared config files are found and parsed, against the AWS SDKs' test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import Profiles, file_locations, parse_profiles

SUITES = Path(os.environ["SUITES"])
PARSER = json.loads((SUITES / "profile-parser.json").read_text("utf-8"))["tests"]
LOCATION = json.loads((SUITES / "profile-file-location.json").read_text("utf-8"))["tests"]

# Maps the name of a case to the profiles and properties that botocore reads, but that the suite
# expects an SDK to ignore.  This package reads them, too, so that files that work with boto3 also
# work here.
BEYOND = {
    "Profile names support alphanumeric characters and - / . % @ _ : +": {"foo!bar": {}},
    "Invalid profile names are ignored.": {"in valid 2": {"name2": "value2"}},
    "Credentials profiles with prefix are ignored.": {"profile foo": {"name": "value"}},
    "profile name with extra whitespace in credentials": {"profile bar": {}},
    "Property definitions must contain an equals sign.": {"foo": {"key": "value"}},
}
# Maps the name of a case to the profiles that this package reads, although the suite expects an SDK
# to reject the file.
KEPT = {
    "Continuations reset with profile definitions.": {"foo": {"name": "value"}},
    "Invalid continuation": {"foo": {"name": "value"}},
    "Invalid sub-property definitions cause an error.": {"foo": {"s3": ""}},
    "Sub-property definitions cannot have an empty name.": {"foo": {"s3": ""}},
}


def flat(sections):
    """Return *sections* in the suite's form, in which each nested value is one string."""
    return {name: {key: text(value) for key, value in of.items()} for name, of in sections.items()}


def text(value):
    """Return *value* as a string, which has one line per property if *value* is nested."""
    if isinstance(value, str):
        return value
    return "".join(f"\n{name} = {inner}".rstrip() for name, inner in value.items())


def test_the_suites_are_whole():
    """65 cases are for the parser and 9 for the file locations, and all of them are tested."""
    assert (len(PARSER), len(LOCATION)) == (65, 9)


@pytest.mark.parametrize("case", PARSER, ids=lambda case: case["name"])
def test_parser(case, caplog):
    """A pair of files gives the profiles that the case expects, and those in `BEYOND`.

    If the case expects an error, the valid rest of the files is still used.  A warning with the
    line number is logged, unless this package accepts the line because botocore does (`BEYOND`).
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
    """In the environment of a case, both file locations and the profile are the expected ones."""
    environ = case["environment"]
    expected = (case["configLocation"], case["credentialsLocation"])
    assert file_locations(environ, case["platform"]) == expected
    profile = case.get("profile", "default")
    assert Config.resolve({}, environ, Profiles({profile: {}})).profile == profile
