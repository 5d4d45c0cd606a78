"""Test that `replacing` writes a file completely or not at all, and that `growing` writes
immediately.
"""

import os
from io import BytesIO

import pytest

from sagemaker_runtime_client._io.files import NotWrittenError, growing, replacing, write_all


def write(path, content=b"new"):
    """Write a file through `replacing`."""
    with replacing(path) as file:
        file.write(content)


def test_new_file(tmp_path):
    """A new file, even one with the longest possible name, gets the default mode, which depends on
    the umask.
    """
    path = tmp_path / ("n" * 255)
    before = os.umask(0o027)
    try:
        write(path)
    finally:
        os.umask(before)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert [*tmp_path.iterdir()] == [path]


def test_old_file(tmp_path):
    """A replaced file keeps its mode, and a symbolic link to it remains a link."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o604)
    link.symlink_to(path)
    write(link)
    assert link.is_symlink()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o604)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_between(tmp_path, error):
    """If an error is raised while the file is written, the old content remains, and no temporary
    file is left behind.
    """
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert ([*tmp_path.iterdir()], path.read_bytes()) == ([path], b"old")


def test_what_is_no_file(tmp_path):
    """`replacing` writes directly to a pipe or a device.

    If the device is full, a NotWrittenError that contains the path is raised.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe)
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()
    link = tmp_path / "link"
    link.symlink_to("/dev/full")
    with pytest.raises(NotWrittenError, match=r"link could not be written: No space left"):
        write(link)


def test_a_pipe_without_a_reader(tmp_path):
    """If the reader of a pipe has closed it, `replacing` raises BrokenPipeError, not
    NotWrittenError.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def write_too_late():
        with replacing(pipe) as file:
            os.close(reader)
            file.write(b"new")

    with pytest.raises(BrokenPipeError):
        write_too_late()


class Pieces(BytesIO):
    """A file that accepts at most two bytes per write, as an unbuffered file may do."""

    def write(self, data):
        return super().write(data[:2])


@pytest.mark.parametrize("data", [b"", b"a", b"abcde"])
def test_write_all(data):
    """`write_all` writes all data, even if each write accepts only a part of them."""
    file = Pieces()
    write_all(file, data)
    assert file.getvalue() == data


def test_growing(tmp_path):
    """`growing` empties a file, and each write can be read before the file is closed."""
    path = tmp_path / "file"
    path.write_bytes(b"old content")
    with growing(path) as file:
        write_all(file, b"new")
        assert path.read_bytes() == b"new"
