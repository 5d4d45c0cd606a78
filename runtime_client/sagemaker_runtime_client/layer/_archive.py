"""A zip whose bytes depend on nothing but what is in it."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from attrs import frozen

from .._io.files import replacing


@frozen
class Layer:
    """
    A layer that was built.

    Attributes:
        path: Its zip.
        zipped: Size of the zip, in bytes.
        unzipped: Size of what is in it: Lambda counts this against its 250 MB.
    """

    path: Path
    zipped: int
    unzipped: int


def archive(root: Path, path: Path) -> Layer:
    """Zip a folder, under its own name, and return the layer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with replacing(path) as written, ZipFile(written, "w", ZIP_DEFLATED, compresslevel=9) as layer:
        for file in sorted(file for file in root.rglob("*") if file.is_file()):
            # Whatever clock and umask the machine has: 1980, and readable by all.
            entry = ZipInfo(file.relative_to(root.parent).as_posix())
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            content = file.read_bytes()
            layer.writestr(entry, content, compresslevel=9)
            unzipped += len(content)
    return Layer(path, path.stat().st_size, unzipped)
