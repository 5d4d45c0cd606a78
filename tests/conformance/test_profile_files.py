"""The SDKs' cases of the shared files: what they say, and where they are."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._config import Config
from sagemaker_runtime_client._profile_file import Profiles, file_locations, parse_profiles

SUITES = Path(os.environ["SUITES"])
PARSER = json.loads((SUITES / "profile-parser.json").read_text("utf-8"))["tests"]
LOCATION = json.loads((SUITES / "profile-file-location.json").read_text("utf-8"))["tests"]


def flat(sections):
    """Return sections as the suite writes them: nested values as text."""
    return {name: {key: text(value) for key, value in of.items()} for name, of in sections.items()}


def text(value):
    """Return a value as text."""
    if isinstance(value, str):
        return value
    return "".join(f"\n{name} = {inner}".rstrip() for name, inner in value.items())


def test_the_suites_are_whole():
    """All 65 and 9 cases are run."""
    assert (65, 9) == (len(PARSER), len(LOCATION))


@pytest.mark.parametrize("case", PARSER, ids=lambda case: case["name"])
def test_parser(case):
    """Each pair of files says, or is refused for, what the case says."""
    files = [("config", case["input"].get("configFile", ""))]
    files += [("credentials", case["input"].get("credentialsFile", ""))]
    if "errorContaining" in case["output"]:
        with pytest.raises(ConfigError, match=r"^config, line \d+: "):
            parse_profiles(*files)
    else:
        expected, profiles = case["output"]["config"], parse_profiles(*files)
        assert expected["profiles"] == flat(profiles.profiles)
        assert expected.get("sso_sessions", {}) == flat(profiles.sso_sessions)


@pytest.mark.parametrize("case", LOCATION, ids=lambda case: case["name"])
def test_location(case):
    """The files are where the case says, and the profile in force is the one that it names."""
    environ = case["environment"]
    expected = (case["configLocation"], case["credentialsLocation"])
    assert expected == file_locations(environ, case["platform"])
    profile = case.get("profile", "default")
    assert profile == Config.resolve({}, environ, Profiles({profile: {}})).profile
