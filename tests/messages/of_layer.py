"""Messages about Lambda layers."""

import sys
from argparse import Namespace
from pathlib import Path
from unittest import mock

from sagemaker_runtime_client.layer import _pins
from sagemaker_runtime_client.layer._command import build_layers
from sagemaker_runtime_client.layer._pins import renew, select_pins
from sagemaker_runtime_client.layer._tools import interpreter, run

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/layer",)


def build(*compared):
    """Build layers for the running Python, and compare them with these files."""
    build_layers(
        Namespace(
            pins=None,
            renew=False,
            python=["{}.{}".format(*sys.version_info)],
            compare=[Path(file) for file in compared],
        )
    )


def without_pip():
    """Parse pins in a process in which neither packaging nor pip can be imported."""
    names = ("packaging.requirements", "pip._vendor.packaging.requirements")
    with mock.patch.dict(sys.modules, dict.fromkeys(names)):
        select_pins("demo==1\n")


def renew_conflicting():
    """Regenerate the pins although the platforms need different versions of a project."""
    versions = iter(range(99))

    def resolve(*_):
        return {f"demo=={next(versions)}": "0"}

    with mock.patch.object(_pins, "_resolve", resolve):
        renew(Path("pins.txt"), ["demo"])


MESSAGES = [
    (
        lambda: select_pins("-e .\n"),
        "pins must have the form name==1.0 --hash=sha256:..., not: -e .",
    ),
    (
        lambda: select_pins("demo @ file:///tmp/demo-1.tar.gz\n"),
        (
            "the pin of demo must be the URL of a wheel, because nothing is built from source: demo @"
            " file:///tmp/demo-1.tar.gz"
        ),
    ),
    (
        without_pip,
        "building layers requires pip, which this Python lacks: run python -m ensurepip",
    ),
    (
        renew_conflicting,
        "no single version supports all Pythons and architectures: demo",
    ),
    (
        lambda: build("a/rival.txt", "b/rival.txt"),
        "--compare: two files have the same name apart from the extension, so their layers would overwrite each other",
    ),
    (
        lambda: interpreter("2.0"),
        (
            "Python 2.0, which compiles the layer's bytecode, was not found: put python2.0 on the "
            "PATH, or select other versions with --python"
        ),
    ),
    (
        lambda: run(sys.executable, "-c", "raise SystemExit('no space left')"),
        "python failed: no space left",
    ),
]
