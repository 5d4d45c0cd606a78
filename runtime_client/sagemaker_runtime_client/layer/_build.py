"""Builds a layer: installs wheels, copies packages, compiles bytecode, and writes the zip file."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from attrs import frozen

from .._version import __version__
from ._archive import Layer, archive
from ._pins import PINS, pip_platform_options, select_pins
from ._recipe import ARCHITECTURES, DISTRIBUTION, PACKAGES, READ_AT_RUN_TIME, VARIANTS, is_left_out
from ._tools import interpreter, pip, run

_COMPILER = Path(__file__).parent / "_bytecode.py"


@frozen
class LayerSpec:
    """Specifies a layer to build.

    Attributes:
        python: The Python version of the Lambda function, such as ``3.12``.
        architecture: The architecture of the Lambda function: ``x86_64`` or ``arm64``.
        variant: ``lean`` or ``full``; `_recipe` lists what the lean variant omits.
        sourceless: Whether bytecode replaces the source files, except those that are read at run
            time.
    """

    python: str
    architecture: str = "x86_64"
    variant: str = "full"
    sourceless: bool = False

    @property
    def suffix(self) -> str:
        """The end of the zip file's name, which depends on every attribute except the variant."""
        sources = "-sourceless" if self.sourceless else ""
        return f"{sources}-python{self.python}-{self.architecture}.zip"


def build(spec: LayerSpec, folder: Path, pins_file: Path = PINS) -> Layer:
    """Build a layer of this distribution.

    Args:
        spec: The layer to build.
        folder: The folder in which the zip file is written.
        pins_file: The file that lists the wheels to install, with their hashes; by default the
            file in this package.

    Raises:
        ConfigError: The Python version is not installed, pip is missing, the pins are not valid,
            the wheels cannot be installed, or a source file cannot be compiled.
    """
    pinned = select_pins(pins_file.read_text(), VARIANTS[spec.variant])
    name = f"{DISTRIBUTION}-{__version__}-{spec.variant}{spec.suffix}"
    return build_zip(spec, folder / name, pinned, PACKAGES)


def build_zip(spec: LayerSpec, path: Path, pinned: str, packages: Sequence[str] = ()) -> Layer:
    """Build a layer from any wheels, in the same way as a layer of this distribution.

    Args:
        spec: The layer to build.  Its variant is ignored.
        path: The path of the zip file.
        pinned: The pins of the wheels, in the format of a pip requirements file.
        packages: The names of importable packages to copy into the layer in addition to the wheels.
            If there are any, the metadata of this distribution is copied, too.

    Raises:
        ConfigError: The Python version is not installed, pip is missing, the wheels cannot be
            installed, or a source file cannot be compiled.
    """
    with TemporaryDirectory() as scratch:
        root = Path(scratch) / "python"
        _install(spec, Path(scratch) / "pins.txt", pinned, root)
        for package in packages:
            _copy(package, root)
        if packages:
            _copy_metadata(root)
        _trim(root)
        _compile(spec, root)
        return archive(root, path)


def _install(spec: LayerSpec, file: Path, pinned: str, root: Path) -> None:
    """Install the wheels that *pinned* lists into *root* with pip, which checks their hashes."""
    file.write_text(pinned)
    options = ("--require-hashes", "--no-deps", "--requirement", file, "--target", root)
    pip(
        interpreter(spec.python),
        "install",
        *options,
        *pip_platform_options(ARCHITECTURES[spec.architecture]),
    )


def _copy(package: str, root: Path) -> None:
    """Copy a package that this interpreter can import into *root*, without cached bytecode."""
    source = Path(import_module(package).__file__ or "").parent
    copytree(source, root / package, ignore=ignore_patterns("__pycache__"))


def _copy_metadata(root: Path) -> None:
    """Copy the metadata of this distribution into *root*."""
    for file in distribution(DISTRIBUTION).files or ():
        if file.parts[0].endswith(".dist-info"):
            target = root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_binary())


def _trim(root: Path) -> None:
    """Delete the files that the recipe leaves out.

    The description is also removed from each METADATA file, because it usually contains an entire
    README.
    """
    for path in [path for path in root.rglob("*") if path.is_file()]:
        name = path.relative_to(root).as_posix()
        if is_left_out(name):
            path.unlink()
        elif path.name == "METADATA":
            path.write_bytes(path.read_bytes().partition(b"\n\n")[0] + b"\n")


def _compile(spec: LayerSpec, root: Path) -> None:
    """Compile all source files with the Python that *spec* selects.

    Tracebacks show the paths that the source files will have in /opt.  Column positions are
    omitted, because they make up a fifth of the bytecode and are used only to underline parts of
    the lines in a traceback.
    """
    run(interpreter(spec.python), "-X", "no_debug_ranges", _COMPILER, root, "/opt")
    if spec.sourceless:
        _drop_sources(root)


def _drop_sources(root: Path) -> None:
    """Replace each source file with its bytecode, unless the source file is read at run time."""
    for source in sorted(root.rglob("*.py")):
        if source.relative_to(root).as_posix() not in READ_AT_RUN_TIME:
            (bytecode,) = (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc")
            bytecode.rename(source.with_suffix(".pyc"))
            source.unlink()
