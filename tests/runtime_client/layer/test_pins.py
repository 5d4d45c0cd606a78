"""Tests of reading, selecting and renewing pins, with wheels in a test folder."""

import re
import sys

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client.layer._pins import PINS, renew, select_pins
from sagemaker_runtime_client.layer._recipe import ARCHITECTURES, NEVER, PYTHONS, VARIANTS
from tests.runtime_client.layer.conftest import REQUIRED

DIGEST = "a" * 64


def test_pins_of_this_package():
    """The pins of this package list each project once, with one hash for each required wheel."""
    lines = select_pins(PINS.read_text()).splitlines()
    names = [line.partition("==")[0] for line in lines]
    assert sorted(set(names)) == names
    assert {"anyio", "attrs", "certifi", "httpcore", "httpx"} < set(names)
    assert NEVER.keys().isdisjoint(names)
    hashes = {line.partition("==")[0]: line.count("--hash=sha256:") for line in lines}
    own = len(ARCHITECTURES)
    assert {name: hashes.pop(name) for name in VARIANTS["lean"]} == {
        "cryptography": own,
        "cffi": own * len(PYTHONS),
    }
    assert set(hashes.values()) == {1}


def test_left_out():
    """A project is left out regardless of how its name is spelled.

    Comments and blank lines are ignored.
    """
    text = f"# a remark\n\nA_b.C==1 \\\n    --hash=sha256:{DIGEST}\nd==2 --hash=sha256:{DIGEST}\n"
    assert select_pins(text, {"a-b-c"}) == f"d==2 --hash=sha256:{DIGEST}\n"
    assert [line.split()[0] for line in select_pins(text).splitlines()] == ["A_b.C==1", "d==2"]


@pytest.mark.parametrize(
    "pin",
    [
        "Cryptography == 42",
        " cryptography[ssh]==42",
        "cryptography @ https://example.org/cryptography-42-cp311-abi3-manylinux_2_28_x86_64.whl",
        "cryptography ; python_version > '3'",
        "CRYPTOGRAPHY==42 \\\n    ",
    ],
)
def test_left_out_however_it_is_written(pin):
    """A project is left out whichever form of requirement that pip accepts is used."""
    text = f"{pin} --hash=sha256:{DIGEST}  # a remark\nd==2 --hash=sha256:{DIGEST}\n"
    assert select_pins(text, VARIANTS["lean"]) == f"d==2 --hash=sha256:{DIGEST}\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("demo @ file:///tmp/demo-1.tar.gz", "the pin of demo must be the URL of a wheel"),
        ("demo @ file:///tmp/demo", "the pin of demo must be the URL of a wheel"),
        ("demo @ file:///tmp/demo-1.tar.gz?a.whl", "the pin of demo must be the URL of a wheel"),
        (
            "demo @ git+https://example.org/demo@v1.whl",
            "the pin of demo must be the URL of a wheel",
        ),
        ("-e .", "pins must have the form name==1.0"),
        ("-r others.txt", "pins must have the form name==1.0"),
        ("./demo-1.tar.gz", "pins must have the form name==1.0"),
    ],
)
def test_source_packages_are_rejected(line, why):
    """A pin that pip would have to build from source is rejected."""
    with pytest.raises(ConfigError, match=f"{why}.*: {re.escape(line)}"):
        select_pins(f"{line} --hash=sha256:{DIGEST}\n")


@pytest.mark.parametrize(
    ("missing", "is_read"),
    [(["packaging"], True), (["packaging", "pip._vendor.packaging"], False)],
    ids=["pip's own", "no pip"],
)
def test_packaging_of_pip(monkeypatch, missing, is_read):
    """If packaging is not installed, pip's copy of it is used.

    Without pip, the error advises installing pip.
    """
    for name in missing:
        for module in ("requirements", "utils"):
            monkeypatch.setitem(sys.modules, f"{name}.{module}", None)
    if is_read:
        assert select_pins("d==2\n") == "d==2\n"
    else:
        with pytest.raises(
            ConfigError, match=r"requires pip, which this Python lacks: run python -m ensurepip"
        ):
            select_pins("d==2\n")


def test_renew(wheel, tmp_path):
    """`renew` pins the newest wheels for each platform, and the dependencies of these wheels."""
    wheel("demo", "1.0")
    for platform in ARCHITECTURES.values():
        wheel("demo", "2.0", f"py3-none-{platform}", requires=["other>=1", "pycparser"])
    wheel("other", "1.5")
    wheel("pycparser", "1")
    renew(tmp_path / "pins.txt", ["demo"])
    demo, other = select_pins((tmp_path / "pins.txt").read_text()).splitlines()
    assert (demo.split()[0], demo.count("--hash=sha256:")) == ("demo==2.0", 2)
    assert (other.split()[0], other.count("--hash=sha256:")) == ("other==1.5", 1)


def test_renew_what_the_distribution_requires(wheel, tmp_path):
    """By default the requirements of this distribution are pinned, without those of its extras."""
    for name in REQUIRED:
        wheel(name, "9999")
    renew(tmp_path / "pins.txt")
    assert [
        line.split()[0] for line in select_pins((tmp_path / "pins.txt").read_text()).splitlines()
    ] == [f"{name}==9999" for name in sorted(REQUIRED)]


def test_conflicting_versions(wheel, tmp_path):
    """If the newest version differs between platforms, `renew` fails and leaves the file unchanged."""
    for version, platform in zip("12", ARCHITECTURES.values(), strict=True):
        wheel("demo", version, f"py3-none-{platform}")
    (tmp_path / "pins.txt").write_text("as it was")
    with pytest.raises(
        ConfigError, match="no single version supports all Pythons and architectures: demo"
    ):
        renew(tmp_path / "pins.txt", ["demo"])
    assert (tmp_path / "pins.txt").read_text() == "as it was"


def test_no_wheel(wheel, tmp_path):
    """If there is no wheel for a requirement, the error mentions the requirement."""
    wheel("demo", "1", requires=["missing"])
    with pytest.raises(ConfigError, match=r"(?s)^pip failed: .*missing"):
        renew(tmp_path / "pins.txt", ["demo"])
