"""Writes a zip archive that does not depend on the clock, the umask or the order of the files."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from attrs import frozen

from .._io.files import replacing


@frozen
class Layer:
    """A layer that has been built.

    Attributes:
        path: The path of the zip file.
        zipped: The size of the zip file, in bytes.
        unzipped: The total size of the unzipped files, in bytes.  Lambda limits the unzipped size
            of a function and all its layers to 250 MB.
    """

    path: Path
    zipped: int
    unzipped: int


def archive(root: Path, path: Path) -> Layer:
    """Write the folder *root*, as the archive's top-level folder, to a zip file at *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with replacing(path) as written, ZipFile(written, "w", ZIP_DEFLATED, compresslevel=9) as layer:
        for file in sorted(file for file in root.rglob("*") if file.is_file()):
            # The date (1980) and the mode (readable by all) are fixed, so that they depend neither
            # on the clock nor on the umask.
            entry = ZipInfo(file.relative_to(root.parent).as_posix())
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            content = file.read_bytes()
            layer.writestr(entry, content, compresslevel=9)
            unzipped += len(content)
    return Layer(path, path.stat().st_size, unzipped)
