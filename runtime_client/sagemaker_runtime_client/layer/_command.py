"""`sagemaker-runtime layer`: builds what was asked for, and prints how large it is."""

import argparse
from itertools import product
from pathlib import Path

from .._errors import ConfigError
from ._archive import Layer
from ._build import Plan, build, pack
from ._pins import PINS, pins, renew
from ._recipe import ARCHITECTURES, PYTHONS, VARIANTS
from ._tools import interpreter


def build_layers(options: argparse.Namespace) -> None:
    """Build a layer for each Python, architecture and variant; beside them what they are compared with."""
    chosen = options.pins or PINS
    if options.renew:
        renew(chosen)
    pythons = options.python or PYTHONS
    for python in pythons:  # whatever is missing is missed before anything is built
        interpreter(python)
    if len({file.stem for file in options.compare}) < len(options.compare):
        raise ConfigError("--compare: layers are called as the files are, and two have one name")
    _print(("layer", "zip bytes", "unzipped"), [f"of {file.stem}" for file in options.compare])
    for python, architecture in product(pythons, options.architecture or ARCHITECTURES):
        others = _others(Plan(python, architecture), options)
        for layer in others:
            _show(layer, others)
        for variant in options.variant or VARIANTS:
            plan = Plan(python, architecture, variant, sourceless=options.sourceless)
            _show(build(plan, Path(options.output), chosen), others)


def _others(plan: Plan, options: argparse.Namespace) -> list[Layer]:
    """Build layers of other wheels, to be compared with."""
    return [
        pack(plan, Path(options.output) / f"{file.stem}{plan.suffix}", pins(file.read_text()))
        for file in options.compare
    ]


def _show(layer: Layer, others: list[Layer]) -> None:
    """Print the sizes of a layer, and the ratio of its zip to that of each other."""
    sizes = (layer.path.name, f"{layer.zipped:,}", f"{layer.unzipped:,}")
    _print(sizes, [f"{layer.zipped / other.zipped:.3f}" for other in others])


def _print(sizes: tuple[str, str, str], ratios: list[str]) -> None:
    print("{:<68} {:>12} {:>12}".format(*sizes), *ratios, sep="  ", flush=True)
