"""From wheels and our own packages to a zip."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from attrs import frozen

from .._version import __version__
from ._archive import Layer, archive
from ._pins import PINS, on, pins
from ._recipe import ARCHITECTURES, DISTRIBUTION, PACKAGES, READ_AT_RUN_TIME, VARIANTS, is_left_out
from ._tools import interpreter, pip, run

_COMPILER = Path(__file__).parent / "_bytecode.py"


@frozen
class Plan:
    """
    Which layer it is to be.

    Attributes:
        python: The function's Python, such as ``3.12``.
        architecture: The function's architecture, as Lambda calls it.
        variant: ``lean`` or ``full``; what lean is without stands in `_recipe`.
        sourceless: Whether bytecode stands in place of the sources.
    """

    python: str
    architecture: str = "x86_64"
    variant: str = "full"
    sourceless: bool = False

    @property
    def suffix(self) -> str:
        """What tells the zip from those of other plans, but for the variant."""
        sources = "-sourceless" if self.sourceless else ""
        return f"{sources}-python{self.python}-{self.architecture}.zip"


def build(plan: Plan, folder: Path, chosen: Path = PINS) -> Layer:
    """
    Build a layer.

    Args:
        plan: Which.
        folder: Where its zip goes.
        chosen: The file with the pins; what came with the package.

    Raises:
        ConfigError: The plan's Python is missing, or pip could not get the wheels.
    """
    pinned = pins(chosen.read_text(), VARIANTS[plan.variant])
    name = f"{DISTRIBUTION}-{__version__}-{plan.variant}{plan.suffix}"
    return pack(plan, folder / name, pinned, PACKAGES)


def pack(plan: Plan, path: Path, pinned: str, packages: Sequence[str] = ()) -> Layer:
    """
    Build a layer of any wheels, by the same recipe.

    Args:
        plan: Which; its variant does not count.
        path: The zip.
        pinned: Pins, as pip reads them.
        packages: What is importable here, and goes in beside the wheels.
    """
    with TemporaryDirectory() as scratch:
        root = Path(scratch) / "python"
        _install(plan, Path(scratch) / "pins.txt", pinned, root)
        for package in packages:
            _copy(package, root)
        if packages:
            _copy_metadata(root)
        _trim(root)
        _compile(plan, root)
        return archive(root, path)


def _install(plan: Plan, file: Path, pinned: str, root: Path) -> None:
    """Install wheels, which must have the hashes that are pinned."""
    file.write_text(pinned)
    options = ("--require-hashes", "--no-deps", "--requirement", file, "--target", root)
    pip(interpreter(plan.python), "install", *options, *on(ARCHITECTURES[plan.architecture]))


def _copy(package: str, root: Path) -> None:
    """Copy a package, as it is imported here."""
    source = Path(import_module(package).__file__ or "").parent
    copytree(source, root / package, ignore=ignore_patterns("__pycache__"))


def _copy_metadata(root: Path) -> None:
    """Copy what is known of our own distribution."""
    for file in distribution(DISTRIBUTION).files or ():
        if file.parts[0].endswith(".dist-info"):
            target = root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_binary())


def _trim(root: Path) -> None:
    """Take out what the recipe leaves out; of metadata, the description, which is a whole README."""
    for path in [path for path in root.rglob("*") if path.is_file()]:
        name = path.relative_to(root).as_posix()
        if is_left_out(name):
            path.unlink()
        elif path.name == "METADATA":
            path.write_bytes(path.read_bytes().partition(b"\n\n")[0] + b"\n")


def _compile(plan: Plan, root: Path) -> None:
    """
    Compile all sources for the plan's Python, as they will stand in /opt.

    The columns of each instruction are left out: they are a fifth of the bytecode, and but
    underline parts of a traceback's lines.
    """
    run(interpreter(plan.python), "-X", "no_debug_ranges", _COMPILER, root, "/opt")
    if plan.sourceless:
        _drop_sources(root)


def _drop_sources(root: Path) -> None:
    """Put bytecode in place of sources."""
    for source in sorted(root.rglob("*.py")):
        if source.relative_to(root).as_posix() not in READ_AT_RUN_TIME:
            (bytecode,) = (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc")
            bytecode.rename(source.with_suffix(".pyc"))
            source.unlink()
