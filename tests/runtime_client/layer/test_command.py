"""Tests of the command ``layer``. pip finds only the small wheels in a test folder."""

import marshal
import runpy
import sys
from zipfile import ZipFile

import pytest

from sagemaker_runtime_client import __version__
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client.layer import _bytecode
from tests.runtime_client.layer.conftest import REQUIRED, THIS_PYTHON

NAME = f"sagemaker-runtime-client-{__version__}"


@pytest.fixture
def layer(wheel, tmp_path, capsys):
    """A function that runs the command and returns the exit code, the output rows and stderr."""
    (tmp_path / "pins.txt").write_text(wheel("demo", "1"))
    (tmp_path / "rival.txt").write_text(wheel("rival", "2"))

    def run(*arguments):
        files = ("--pins", tmp_path / "pins.txt", "--output", tmp_path / "out")
        code = main([str(argument) for argument in ("layer", *files, *arguments)])
        out, err = capsys.readouterr()
        return code, [line.split() for line in out.splitlines()], err

    return run


def test_all(layer, tmp_path):
    """By default, both variants are built for both architectures, and the printed sizes are
    correct.
    """
    code, (_, *rows), _ = layer("--python", THIS_PYTHON)
    assert code == 0
    assert [row[0] for row in rows] == [
        f"{NAME}-{variant}-python{THIS_PYTHON}-{architecture}.zip"
        for architecture in ("x86_64", "arm64")
        for variant in ("lean", "full")
    ]
    for name, zipped, unzipped in rows:
        path = tmp_path / "out" / name
        assert zipped == f"{path.stat().st_size:,}"
        with ZipFile(path) as built:
            assert unzipped == f"{sum(entry.file_size for entry in built.infolist()):,}"


def test_comparison_with_a_sourceless_layer(layer, tmp_path):
    """With --sourceless and --compare, the command builds a sourceless layer and a comparison
    layer, and prints the ratio of their zip sizes.
    """
    one = ("--python", THIS_PYTHON, "--architecture", "arm64", "--variant", "lean", "--sourceless")
    code, (head, rival, ours), _ = layer(*one, "--compare", tmp_path / "rival.txt")
    assert code == 0
    assert head[-2:] == ["of", "rival"]
    assert rival[0] == f"rival-python{THIS_PYTHON}-arm64.zip"
    assert rival[-1] == "1.000"
    zipped = [int(row[1].replace(",", "")) for row in (rival, ours)]
    assert ours[-1] == f"{zipped[1] / zipped[0]:.3f}"
    other, built = sorted((tmp_path / "out").iterdir())
    assert other.name == rival[0]
    assert built.name == f"{NAME}-lean-sourceless-python{THIS_PYTHON}-arm64.zip"
    with ZipFile(built) as zipped:
        names = set(zipped.namelist())
    assert {"python/demo.pyc", "python/sigv4/__init__.pyc"} < names
    assert "python/demo.py" not in names


def test_comparison_for_each_architecture(layer, tmp_path):
    """A comparison layer is built for each architecture, and --sourceless does not change its
    bytes.
    """
    rivals = [
        f"rival-python{THIS_PYTHON}-{architecture}.zip" for architecture in ("arm64", "x86_64")
    ]
    kept = []
    for options in ((), ("--sourceless",)):
        compared = ("--variant", "lean", "--compare", tmp_path / "rival.txt", *options)
        code, _, _ = layer("--python", THIS_PYTHON, *compared)
        assert code == 0
        found = sorted((tmp_path / "out").glob("rival-*"))
        assert [path.name for path in found] == rivals
        kept.append([path.read_bytes() for path in found])
    assert kept[0] == kept[1]
    with ZipFile(tmp_path / "out" / rivals[0]) as rival:
        assert "python/rival.py" in rival.namelist()


def test_comparison_with_equal_names(layer, tmp_path):
    """Two --compare files with the same name are rejected, because one layer would replace the
    other.
    """
    compared = [("--compare", tmp_path / folder / "rival.txt") for folder in ("a", "b")]
    code, rows, err = layer("--python", THIS_PYTHON, *compared[0], *compared[1])
    assert (code, rows) == (2, [])
    assert "--compare: two files have the same name apart from the extension" in err
    assert not (tmp_path / "out").exists()


def test_renewed(layer, wheel, tmp_path):
    """The option --renew updates the pins to the newest wheels before building."""
    for name in REQUIRED:
        wheel(name, "9999")
    one = ("--python", THIS_PYTHON, "--architecture", "arm64", "--variant", "lean")
    code, _, _ = layer("--renew", *one)
    assert code == 0
    assert "httpx==9999" in (tmp_path / "pins.txt").read_text()
    with ZipFile(next((tmp_path / "out").iterdir())) as built:
        assert built.read("python/httpx.py") == b"version = '9999'\n"
        assert "python/cryptography.py" not in built.namelist()
        metadata = built.read("python/httpx-9999.dist-info/METADATA")
    assert metadata == b"Metadata-Version: 2.1\nName: httpx\nVersion: 9999\n"


def test_no_python(layer, tmp_path, monkeypatch):
    """If a required Python is not found, the command reports this and builds no layer."""
    monkeypatch.setattr("sagemaker_runtime_client.layer._command.PYTHONS", (THIS_PYTHON, "3.99"))
    code, rows, err = layer()
    assert (code, rows) == (2, [])
    assert "Python 3.99, which compiles the layer's bytecode, was not found" in err
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_folder(layer, tmp_path, capsys):
    """An output path that cannot be a folder is rejected before anything is built."""
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SystemExit) as caught:
            layer("--output", output)
        assert caught.value.code == 2
        assert "argument --output: must be a folder" in capsys.readouterr().err


def test_full_disk(layer, tmp_path):
    """If the disk is full, the exit code is 8, and the message mentions the zip file."""
    name = f"{NAME}-lean-python{THIS_PYTHON}-arm64.zip"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to("/dev/full")
    one = ("--python", THIS_PYTHON, "--architecture", "arm64", "--variant", "lean")
    code, (head,), err = layer(*one)
    assert (code, head[0]) == (8, "layer")
    assert f"{name} could not be written: No space left on device" in err


def test_wrong_hash(layer, tmp_path):
    """A wheel whose hash differs from the pinned one is rejected."""
    pinned = tmp_path / "pins.txt"
    pinned.write_text("demo==1 --hash=sha256:" + "0" * 64 + "\n")
    code, _, err = layer("--python", THIS_PYTHON)
    assert code == 2
    assert err.startswith("sagemaker-runtime: pip failed")
    assert "hash" in err.lower()
    assert "\\n" not in err


def test_compiler(tmp_path, monkeypatch):
    """If `_bytecode` runs as a program, it writes bytecode with paths below /opt and without
    docstrings.
    """
    source = tmp_path / "python" / "package" / "module.py"
    source.parent.mkdir(parents=True)
    source.write_text("'Text.'\nanswer = 42\n")
    monkeypatch.setattr(sys, "argv", ["_bytecode.py", str(source.parent.parent), "/opt"])
    runpy.run_path(_bytecode.__file__, run_name="__main__")
    (compiled,) = (source.parent / "__pycache__").iterdir()
    code = marshal.loads(compiled.read_bytes()[16:])
    assert code.co_filename == "/opt/python/package/module.py"
    space = {}
    exec(code, space)
    assert (space["answer"], space.get("__doc__")) == (42, None)
