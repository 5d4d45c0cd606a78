"""Test that the tables and lists in the documents agree with the code."""

import inspect
import re
from inspect import signature
from math import inf, isclose

import pytest

import sagemaker_runtime_client as package
import sigv4
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, Invocation, SageMakerRuntimeClient
from sagemaker_runtime_client._cli.commands import EXIT_CODES
from sagemaker_runtime_client._cli.options import EPILOG
from sagemaker_runtime_client._settings.arguments import Settings
from sagemaker_runtime_client._settings.config import SETTINGS
from tests.readmes import (
    CLIENT,
    CLIENT_README,
    EMULATOR_README,
    LAYER_README,
    ROOT,
    TOP,
    section,
    table,
    without_code,
    words,
)

OPERATIONS = [
    name
    for name, member in vars(SageMakerRuntimeClient).items()
    if inspect.isfunction(member) and not name.startswith("_")
]


class TestComingFromBoto3:
    """The names of this package in the table "Coming from boto3" exist."""

    ROWS = table(section(TOP, "## Coming from boto3"))
    CELLS = " ".join(row[1] for row in ROWS)

    def test_methods(self):
        """Each method in the table is an operation of both clients."""
        named = set(re.findall(r"client\.(\w+)", self.CELLS))
        assert named
        assert named <= set(OPERATIONS)
        assert all(hasattr(AsyncSageMakerRuntimeClient, name) for name in named)

    def test_classes(self):
        """Each class in the table is public."""
        named = set(re.findall(r"\b[A-Z]\w+(?:Error|Client)\b", self.CELLS))
        assert len(named) > 5
        assert named <= set(package.__all__)

    def test_attributes(self):
        """Each handle attribute in the table is an attribute of `Invocation`."""
        named = set(re.findall(r"invocation\.(\w+)", self.CELLS))
        assert named
        assert named <= set(Invocation.__match_args__)

    def test_arguments(self):
        """Each argument in the table is an argument of the clients or of their operations."""
        known = set(Settings.__optional_keys__)
        for name in OPERATIONS:
            known |= signature(getattr(SageMakerRuntimeClient, name)).parameters.keys()
        named = set(re.findall(r"\b(\w+)=", self.CELLS))
        assert named
        assert named <= known


def test_the_table_of_arguments():
    """The table has one row for each parameter of the AWS operation, in order: AWS's name, the
    argument, and where it is sent.
    """
    from sagemaker_runtime_client._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC

    rows = [row[:3] for row in table(section(CLIENT_README, "### `invoke_endpoint_async`"))]
    assert rows == [
        [f"`{member.name}`", f"`{member.argument}`", f"`{place}`" if "-" in place else place]
        for member in INVOKE_ENDPOINT_ASYNC.members.values()
        for place in [member.place]
    ]


def test_the_operations():
    """The section on operations mentions each operation of the clients."""
    named = words(section(CLIENT_README, "## Operations"))
    assert [name for name in OPERATIONS if name not in named and f"{name}()" not in named] == []


def test_the_attributes_of_an_output():
    """The README lists exactly the public attributes of `Output`, except `replace`."""
    (listed,) = re.findall(
        r"An output has (.*?)\.\n", section(CLIENT_README, "## Operations"), re.DOTALL
    )
    public = {name for name in dir(package.Output) if not name.startswith("_")}
    assert {name.removesuffix("()") for name in words(listed)} == public - {"replace"}


SETTINGS_ROWS = table(section(CLIENT_README, "## Settings"))
ROW_OF_ARGUMENT = {name: row for row in SETTINGS_ROWS for name in words(row[0])}


class TestSettings:
    """The table of settings agrees with the code."""

    def test_each_name(self):
        """Each argument, each environment variable and each profile key is in the table."""
        missing = list(signature(SageMakerRuntimeClient).parameters)
        for setting in SETTINGS.values():
            missing += [*setting.variables, *setting.last]
            missing += [key.rpartition(".")[2] for key in setting.keys]
        written = {word for row in SETTINGS_ROWS for cell in row for word in words(cell)}
        short = {name for name in written if name.startswith("_")}
        written |= {f"AWS_ENDPOINT_URL{name}" for name in short}
        assert [name for name in missing if name not in written] == []

    def test_each_argument_has_its_row(self):
        """Each argument has a row, and no row is about an argument that does not exist."""
        assert set(ROW_OF_ARGUMENT) == set(Settings.__optional_keys__)

    @pytest.mark.parametrize("name", sorted(SETTINGS.keys() & ROW_OF_ARGUMENT.keys()))
    def test_row(self, name):
        """An argument's row contains its variables, its profile keys and its default."""
        setting, (_, variables, keys, default) = SETTINGS[name], ROW_OF_ARGUMENT[name]
        assert words(variables) == [*setting.variables, *setting.last]
        flat = [key for key in setting.keys if "." not in key]
        assert keys == "as above" or set(flat) <= set(words(keys))
        if isinstance(setting.default, str | bool):
            assert default.startswith(f"`{setting.default}`")
        elif setting.default:
            value = "none" if setting.default == inf else f"{setting.default:g}"
            assert re.search(rf"\b{value}\b", default)


def test_the_list_of_credentials_sources():
    """The numbered list contains the providers of the default chain in the order in which they are
    tried.
    """
    from sagemaker_runtime_client.credentials._chain import ORDER

    listed = re.findall(
        r"^\d+\. `([\w-]+)`", section(CLIENT_README, "## Credentials"), re.MULTILINE
    )
    assert listed == [spec.name for spec in ORDER]


def test_the_formats_of_exports():
    """The README mentions each format of `sagemaker-runtime credentials --export`."""
    from sagemaker_runtime_client._cli.exports import FORMATS

    assert set(FORMATS) <= set(
        words(section(CLIENT_README, "### When the wrong credentials are used"))
    )


def test_the_table_of_permissions():
    """The operations in the table exist, and the table has each IAM action that the code mentions."""
    rows = table(section(CLIENT_README, "## IAM permissions"))
    needed = {word for row in rows for word in words(row[2])} - {"input_prefix"}
    assert needed <= set(OPERATIONS)
    actions = {word for row in rows for word in words(row[0])}
    sources = [path.read_text() for path in CLIENT.rglob("*.py") if "emulator" not in path.parts]
    named = set(re.findall(r"``((?:s3|sagemaker|kms):[A-Z]\w+)``", "".join(sources)))
    assert named
    assert named <= actions


def test_the_table_of_errors():
    """Each public error has a row; an indented error is a subclass of the error above it."""
    rows = [row[0] for row in table(section(CLIENT_README, "## Errors"))]
    names = [words(row)[0] for row in rows]
    public = [name for name in package.__all__ if name.endswith("Error")]
    assert sorted([*names, "RuntimeClientError"], key=str.lower) == sorted(public, key=str.lower)
    above = [package.RuntimeClientError]  # the errors above the current one, by their depth
    for row, name in zip(rows, names, strict=True):
        error, depth = getattr(package, name), row.count("&emsp;")
        assert above[depth] in error.__bases__
        above[depth + 1 :] = [error]
    for attribute in ("argument", "tried", "provider", "reason", "body", "failure_location"):
        assert f"`{attribute}`" in section(CLIENT_README, "## Errors")


def test_the_table_of_log_levels():
    """The table has exactly the levels at which the client logs."""
    rows = table(section(CLIENT_README, "## Logging"))
    sources = "".join(path.read_text() for path in CLIENT.rglob("*.py"))
    calls = re.findall(r"_log\.(debug|info|warning|error|exception)\(", sources)
    used = {level.replace("exception", "error").upper() for level in calls}
    assert {words(row[0])[0] for row in rows} == used
    assert set(re.findall(r'getLogger\("(\w+)"', sources)) == {"sagemaker_runtime_client"}
    assert "`sagemaker_runtime_client`" in section(CLIENT_README, "## Logging")


def test_the_table_of_exit_codes():
    """The table and the help list the same exit codes, which include all those in the code."""
    codes = [int(row[0]) for row in table(section(CLIENT_README, "## The command line"))]
    assert codes == [int(code) for code in re.findall(r"^    (\d+) ", EPILOG, re.MULTILINE)]
    assert {code for _, code in EXIT_CODES} <= set(codes)


def test_the_table_of_the_signer():
    """Each name in the table is a public name of `sigv4`."""
    rows = table(section(ROOT / "sigv4" / "README.md", "## Other names in the package"))
    assert {word for row in rows for word in words(row[0])} <= set(sigv4.__all__)


class TestEmulator:
    """The tables in the emulator's README agree with the emulator's code."""

    def test_fixtures(self):
        """Each fixture of the pytest plugin has a row."""
        from sagemaker_runtime_client.emulator import pytest_plugin

        source = inspect.getsource(pytest_plugin)
        fixtures = re.findall(r"@pytest\.fixture\ndef (\w+)\(", source)
        rows = table(section(EMULATOR_README, "## In pytest"))
        assert sorted(words(row[0])[0] for row in rows) == sorted(fixtures)

    def test_faults(self):
        """The tables contain each constant and each switch of `Faults`, and the other faults with
        their parameters.
        """
        from sagemaker_runtime_client import emulator

        text = section(EMULATOR_README, "## Failures")
        faults, switches = table(text), table(text.partition("These are attributes of")[2])
        constants = [f"Faults.{name}" for name in vars(emulator.Faults) if name.isupper()]
        named = [word for row in faults for word in words(row[0])]
        assert [word for word in named if word.startswith("Faults.")] == constants
        made = [word for word in named if not word.startswith("Faults.")]
        for call in made:
            name, arguments = re.fullmatch(r"(\w+)\((.*)\)", call).groups()
            assert list(signature(getattr(emulator, name)).parameters) == arguments.split(", ")
        assert sorted(words(row[0])[0] for row in switches) == sorted(
            name for name in vars(emulator.Faults()) if not name.startswith("_")
        )


class TestLayer:
    """The tables in the layer's README agree with the code and with themselves."""

    def test_variants(self):
        """Each variant of the layer has a row."""
        from sagemaker_runtime_client.layer._recipe import VARIANTS

        rows = table(section(LAYER_README, "## What a layer contains"))
        assert sorted(words(row[0])[0] for row in rows) == sorted(VARIANTS)

    def test_ratios(self):
        """The percentages in the table agree with the sizes of the zipped layers in the same table."""
        rows = {row[0]: row[1:] for row in table(section(LAYER_README, "## Size"))}
        number = {name: [float(cell.split()[0]) for cell in row] for name, row in rows.items()}
        whole = number["boto3"][0]
        for zipped, _, percent in number.values():
            assert isclose(zipped / whole * 100, percent, abs_tol=0.1)


def test_the_fixtures():
    """SOURCES.md lists exactly the other files in the fixtures folder."""
    fixtures = ROOT / "fixtures"
    found = {path.name for path in fixtures.rglob("*") if path.is_file()} - {"SOURCES.md"}
    text = (fixtures / "SOURCES.md").read_text()
    assert set(re.findall(r"^\| `([\w-]+\.\w+)` ", text, re.MULTILINE)) == found


def test_the_make_targets():
    """The READMEs mention only existing make targets, and all of these except a few minor ones."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    texts = [(ROOT / "tests" / "README.md").read_text()]
    texts += [(ROOT / "tests" / "benchmarks" / "README.md").read_text(), LAYER_README.read_text()]
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", "".join(texts), re.MULTILINE))
    assert named <= targets
    assert targets - {"help", "clean", "lint", "types", "contracts", "wheel", "layer-pins"} <= named


def test_the_supported_pythons():
    """The Python versions in the test README are those in pyproject.toml."""
    pyproject = (ROOT / "pyproject.toml").read_text()
    supported = re.findall(r"Python :: (3\.\d+)", pyproject)
    (named,) = re.findall(r"on CPython (.*?), with", without_code(ROOT / "tests" / "README.md"))
    assert re.findall(r"3\.\d+", named) == supported
