"""Tests of the content of layers, and of reproducible builds."""

import ast
import json
import os
import subprocess
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

import sagemaker_runtime_client
import sigv4
from sagemaker_runtime_client.layer import _bytecode
from sagemaker_runtime_client.layer._build import LayerSpec, _copy, _install, build, build_zip
from sagemaker_runtime_client.layer._pins import PINS, select_pins
from sagemaker_runtime_client.layer._recipe import LEFT_OUT, PACKAGES, READ_AT_RUN_TIME, is_left_out
from tests.runtime_client.layer.conftest import ALL_PYTHONS, LEAN, THIS_PYTHON
from tests.runtime_client.layer.pythons import command
from tests.runtime_client.layer.runtime_api import ROOT, unprivileged

# LEAN_NAMES contains the top-level names in the lean layer, and LEAN_PROJECTS contains the projects
# whose metadata is in the layer.
LEAN_NAMES = {
    *("anyio", "attr", "attrs", "certifi", "h11", "httpcore", "httpx", "idna"),
    *("sagemaker_runtime_client", "sigv4", "typing_extensions"),
}
LEAN_PROJECTS = {
    *("anyio", "attrs", "certifi", "h11", "httpcore", "httpx", "idna"),
    *("sagemaker_runtime_client", "typing_extensions"),
}

# The recipe leaves out these modules, although other modules import them.  All these imports are
# inside functions or guarded. They fail in the same way as if trio, h2, socksio or click were not
# installed.
GUARDED = {
    "httpcore._async.http2",
    "httpcore._async.socks_proxy",
    "httpcore._backends.trio",
    "httpcore._sync.http2",
    "httpcore._sync.socks_proxy",
    "httpx._main",
    "idna.uts46data",  # only imported by idna.encode(uts46=True)
}


def run_in(layer, program, *options):
    """Run a program with only a layer on the module search path.

    Return its output, parsed as JSON, and its stderr.
    """
    started = [*unprivileged(), *command(layer.spec), "-S", *options, "-c", program]
    environ = {"PYTHONPATH": str(layer.python)}
    done = subprocess.run(started, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_names(lean_layer):
    """The lean layer contains exactly the expected packages and project metadata."""
    with ZipFile(lean_layer.built.path) as layer:
        paths = [name.split("/") for name in layer.namelist()]
    assert {path[0] for path in paths} == {"python"}
    known = {path[1].partition("-")[0] for path in paths if path[1].endswith(".dist-info")}
    assert known == LEAN_PROJECTS
    names = {path[1].partition(".")[0] for path in paths if not path[1].endswith(".dist-info")}
    assert names == LEAN_NAMES | {"__pycache__"}


def test_full_names(unpacked):
    """The full layer also contains cryptography, and only the extension module of cffi."""
    layer = unpacked(LayerSpec(THIS_PYTHON, LEAN.architecture, "full"))
    names = {path.name.partition(".")[0] for path in layer.python.iterdir()}
    beside = {name for name in names if "-" not in name} - LEAN_NAMES
    assert beside == {"__pycache__", "_cffi_backend", "cryptography"}


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("arm64", 183)])
def test_machine(unpacked, architecture, machine):
    """Native modules in a full layer are built for the function's architecture, even on another
    machine.
    """
    layer = unpacked(LayerSpec(THIS_PYTHON, architecture, "full"))
    native = [path.read_bytes() for path in layer.python.rglob("*.so")]
    assert len(native) == 2
    assert {(one[:4], int.from_bytes(one[18:20], "little")) for one in native} == {
        (b"\x7fELF", machine)
    }


def test_same_bytes(lean_layer, tmp_path, monkeypatch):
    """A build in another folder, with another hash seed and another umask, produces the same bytes."""
    elsewhere = tmp_path / "a longer name of a folder"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    umask = os.umask(0o077)
    try:
        again = build(LEAN, tmp_path)
    finally:
        os.umask(umask)
    assert again.path.read_bytes() == lean_layer.built.path.read_bytes()
    assert again.path.name == lean_layer.built.path.name


def test_sizes(lean_layer):
    """The reported sizes of a layer are the size of the zip file and the total size of the files in
    it.
    """
    assert lean_layer.built.zipped == lean_layer.built.path.stat().st_size
    files = [path.stat().st_size for path in lean_layer.opt.rglob("*") if path.is_file()]
    assert lean_layer.built.unzipped == sum(files)


def test_everything_imports(layer):
    """Every module of a layer can be imported, except the modules that require trio."""
    program = """
import importlib, json, sys
from pathlib import Path
failed = {}
root = Path(sys.path[1])
for path in sorted([*root.rglob("*.py"), *root.rglob("*.pyc")]):
    if path.parent.name != "__pycache__":
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = repr(error)
print(json.dumps(failed))
"""
    failed, _ = run_in(layer, program)
    needing_trio = [
        "sagemaker_runtime_client._io.on_trio",
        "sagemaker_runtime_client._io.streams.trio_stream",
    ]
    assert sorted(failed) == needing_trio


def test_public_names(layer):
    """In a layer, every public name of both packages and of httpx is available."""
    program = """
import json, sys
import sagemaker_runtime_client, sigv4, httpx
from sigv4.httpx_auth import SigV4Auth
for module in (sagemaker_runtime_client, sigv4, httpx):
    for name in module.__all__:
        getattr(module, name)
print(json.dumps([sagemaker_runtime_client.__all__, sigv4.__all__]))
"""
    names, _ = run_in(layer, program)
    assert [sagemaker_runtime_client.__all__, sigv4.__all__] == names


def test_versions(layer):
    """importlib.metadata finds the version and license of each project."""
    program = """
import json
from importlib.metadata import distributions
print(json.dumps({one.name: [one.version, bool(one.metadata["License-Expression"])] for one in distributions()}))
"""
    known, _ = run_in(layer, program)
    assert known["sagemaker-runtime-client"][0] == sagemaker_runtime_client.__version__
    assert {name.replace("_", "-") for name in LEAN_PROJECTS} <= {
        name.replace("_", "-") for name in known
    }
    with ZipFile(layer.built.path) as zipped:
        licensed = {name.split("/")[1] for name in zipped.namelist() if "/licenses/" in name}
    assert len(known) == len(licensed)


def test_bytecode_is_used(layer):
    """Importing the packages of a layer compiles no source file, regardless of modification times."""
    program = "import sagemaker_runtime_client, sigv4.httpx_auth, anyio, httpx\nprint(1)"
    _, trace = run_in(layer, program, "-v")
    compiled = [line for line in trace.splitlines() if "code object from" in line]
    in_layer = [line for line in compiled if str(layer.python) in line]
    assert len(in_layer) > 40
    assert [line for line in in_layer if ".pyc" not in line] == []


def test_bytecode(lean_layer):
    """Bytecode is never checked against its source.

    It contains paths below /opt, which tracebacks show.
    """
    sources = list(lean_layer.python.rglob("*.py"))
    assert len(sources) > 100
    for source in sources:
        folder = source.parent / "__pycache__"
        (bytecode,) = folder.glob(f"{source.stem}.cpython-*.pyc")
        content = bytecode.read_bytes()
        assert content[:8] == MAGIC_NUMBER + b"\1\0\0\0"
        assert f"/opt/python/{source.relative_to(lean_layer.python)}".encode() in content
        assert str(lean_layer.built.path.parent).encode() not in content


def test_sourceless(unpacked):
    """A sourceless layer contains bytecode instead of sources, and imports the same modules."""
    layer = unpacked(LayerSpec(THIS_PYTHON, LEAN.architecture, "lean", sourceless=True))
    sources = {path.relative_to(layer.python).as_posix() for path in layer.python.rglob("*.py")}
    assert READ_AT_RUN_TIME.keys() == sources
    assert (layer.python / "sigv4" / "__init__.pyc").exists()
    program = "import anyio, json, sys\nprint(json.dumps(sorted(sys.modules)))"
    loaded, with_sources = (run_in(one, program)[0] for one in (layer, unpacked(LEAN)))
    assert loaded == with_sources


def modules_imported(path, name):
    """Yield the name of each module that a source file imports, including imports inside functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
                base = package[: len(package) - level + 1] if level else []
                yield ".".join([*base, *([module] if module else [])])


def test_no_import_is_broken(lean_layer):
    """GUARDED lists exactly the modules that a lean layer's sources import but the layer lacks."""
    missing = set()
    for path in lean_layer.python.rglob("*.py"):
        parts = path.relative_to(lean_layer.python).with_suffix("").parts
        for name in modules_imported(path, ".".join(parts).removesuffix(".__init__")):
            target = lean_layer.python.joinpath(*name.split("."))
            there = target.is_dir() or target.with_suffix(".py").exists()
            if name.split(".")[0] in LEAN_NAMES and not there:
                missing.add(name)
    assert missing == GUARDED


def test_recipe(unpacked, tmp_path):
    """Each pattern in LEFT_OUT matches an installed file, but no file in the full layer."""
    spec = LayerSpec(THIS_PYTHON, LEAN.architecture, "full")
    _install(spec, tmp_path / "pins.txt", PINS.read_text(), tmp_path / "all")
    for package in PACKAGES:
        _copy(package, tmp_path / "all")
    names = [
        path.relative_to(tmp_path / "all").as_posix()
        for path in (tmp_path / "all").rglob("*")
        if path.is_file()
    ]
    assert [row for row in LEFT_OUT if not any(fnmatchcase(name, row) for name in names)] == []
    layer = unpacked(spec)
    left = {path.relative_to(layer.python).as_posix() for path in layer.python.rglob("*.*")}
    assert [name for name in left if is_left_out(name)] == []


def test_docstrings_and_assertions():
    """`without_docstrings` removes docstrings, but keeps assertions and line numbers."""
    source = '''"""Module."""
class A:
    """Class."""
    def f(self):
        """Function."""
    async def g(self):
        "one"
        "two"
        assert self is None, "kept"
'''
    tree = _bytecode.without_docstrings(ast.parse(source))
    space = {}
    exec(compile(tree, "x", "exec"), space)
    kind = space["A"]
    assert [kind.__doc__, kind.f.__doc__, space.get("__doc__")] == [None] * 3
    assert kind().f() is None
    with pytest.raises(AssertionError, match="kept") as caught:
        kind().g().send(None)
    assert caught.tb.tb_next.tb_lineno == 9


def test_module_of_a_docstring():
    """If a module contains only a docstring, `without_docstrings` makes the module empty."""
    assert _bytecode.without_docstrings(ast.parse('"""Only this."""')).body == []


def test_docstrings_in_sources():
    """`blank_docstrings` removes docstrings from a source, but changes no other text and no line
    number.
    """
    source = '"""Mod\nule."""\nclass A:  # a remark\n    "é"; x = 1\n    def f(self):\n        r"""\n        """  # b'
    blank = (
        '"""\n"""\nclass A:  # a remark\n    """"""; x = 1\n    def f(self):\n        """\n"""  # b'
    )
    assert _bytecode.blank_docstrings(source.encode()).decode() == blank


@pytest.mark.skipif(
    not ALL_PYTHONS, reason="builds a layer of boto3 for each Python: run make layer-test"
)
def test_size_compared_with_boto3(layer):
    """A layer's zip file is smaller than a given fraction of the zip file of a boto3 layer."""
    most = {("lean", False): 0.1, ("lean", True): 0.065, ("full", False): 0.38}
    spec = layer.spec
    boto3 = boto3_layer(spec.python)
    assert layer.built.zipped <= most[spec.variant, spec.sourceless] * boto3.zipped
    assert layer.built.unzipped < boto3.unzipped


@lru_cache
def boto3_layer(python):
    """Build a boto3 layer, and return it."""
    pinned = select_pins((ROOT / "tests" / "benchmarks" / "layers" / "boto3.txt").read_text())
    with TemporaryDirectory() as folder:
        return build_zip(LayerSpec(python, LEAN.architecture), Path(folder) / "boto3.zip", pinned)
