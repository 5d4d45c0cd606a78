"""The command `layer`, which builds the selected layers and prints their sizes."""

import argparse
from itertools import product
from pathlib import Path

from .._errors import ConfigError
from ._archive import Layer
from ._build import LayerSpec, build, build_zip
from ._pins import PINS, renew, select_pins
from ._recipe import ARCHITECTURES, PYTHONS, VARIANTS
from ._tools import interpreter


def build_layers(options: argparse.Namespace) -> None:
    """Build a layer for each combination of the selected Pythons, architectures and variants.

    For comparison, a layer for each version and architecture is also built from the wheels that
    each ``--compare`` file pins.  If ``--renew`` is passed, the pins in the file of ``--pins`` are
    updated first.

    Args:
        options: The parsed command-line options.

    Raises:
        ConfigError: A Python version is not installed, the pins are not valid, pip or the
            compilation failed, or two ``--compare`` files have the same name apart from the
            extension.
    """
    pins_file = options.pins or PINS
    if options.renew:
        renew(pins_file)
    pythons = options.python or PYTHONS
    for python in pythons:  # a missing Python raises an error before the first build
        interpreter(python)
    if len({file.stem for file in options.compare}) < len(options.compare):
        raise ConfigError(
            "--compare: two files have the same name apart from the extension, so their layers would overwrite each other"
        )
    _print(("layer", "zip bytes", "unzipped"), [f"of {file.stem}" for file in options.compare])
    for python, architecture in product(pythons, options.architecture or ARCHITECTURES):
        others = _others(LayerSpec(python, architecture), options)
        for layer in others:
            _show(layer, others)
        for variant in options.variant or VARIANTS:
            spec = LayerSpec(python, architecture, variant, sourceless=options.sourceless)
            _show(build(spec, Path(options.output), pins_file), others)


def _others(spec: LayerSpec, options: argparse.Namespace) -> list[Layer]:
    """Build a layer from the wheels that each ``--compare`` file pins."""
    return [
        build_zip(
            spec, Path(options.output) / f"{file.stem}{spec.suffix}", select_pins(file.read_text())
        )
        for file in options.compare
    ]


def _show(layer: Layer, others: list[Layer]) -> None:
    """Print a layer's sizes, and its zip size divided by the zip size of each layer in *others*."""
    sizes = (layer.path.name, f"{layer.zipped:,}", f"{layer.unzipped:,}")
    _print(sizes, [f"{layer.zipped / other.zipped:.3f}" for other in others])


def _print(sizes: tuple[str, str, str], ratios: list[str]) -> None:
    print("{:<68} {:>12} {:>12}".format(*sizes), *ratios, sep="  ", flush=True)
