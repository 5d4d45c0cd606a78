"""Measure the installed size of each client, and the sizes of the Lambda layers in dist/.

Installed sizes are measured without bytecode, with bytecode, and zipped.
"""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from contenders import ENVIRONMENTS, installed
from loopback import Server
from rounds import Figures, Table

ROOT = Path(__file__).parent.parent.parent
# Packages that are needed only by SigV4A, IAM Roles Anywhere and `aws login`.
FOR_SIGV4A = {"cryptography", "cffi", "pycparser"}


def footprint(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure the environments and any layers in dist/ once, because sizes do not vary."""
    del server, rounds
    found = {name: [_size(name, set())] for name in ENVIRONMENTS if name != "floor"}
    found = {"ours": found.pop("ours"), "ours, lean": [_size("ours", FOR_SIGV4A)], **found}
    yield "footprint", Table("Installed size", found, ("boto3", "capo"))
    built = layers(ROOT / "dist")
    if built:
        yield "layers", Table("Layers in dist/", built)


def layers(folder: Path) -> dict[str, list[Figures]]:
    """Return the figures of each layer in a folder, keyed by file name."""
    return {path.name: [_layer(path)] for path in sorted(folder.glob("*-python*.zip"))}


def _size(environment: str, without: set[str]) -> Figures:
    packages = [one for one in installed(environment) if one.name.lower() not in without]
    listed = [file.locate() for one in packages for file in one.files or ()]
    files = [Path(path) for path in listed if Path(path).is_file()]
    sources = [path for path in files if path.suffix != ".pyc"]
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, path in enumerate(sources):
            archive.write(path, f"{number}/{path.name}")
    return {
        "MB": sum(path.stat().st_size for path in sources) / 1e6,
        "MB with bytecode": sum(path.stat().st_size for path in files) / 1e6,
        "MB zipped": zipped.tell() / 1e6,
        "packages": len(packages),
    }


def _layer(path: Path) -> Figures:
    """Return the sizes of a layer.

    If boto3's layer for the same Python and architecture was built, the result includes the ratio
    of the zipped sizes.
    """
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
    size = path.stat().st_size
    figures = {"MB zipped": size / 1e6, "MB": unzipped / 1e6}
    rival = path.with_name("boto3-python" + path.name.rpartition("-python")[2])
    return figures | ({"x boto3 zipped": size / rival.stat().st_size} if rival.exists() else {})
