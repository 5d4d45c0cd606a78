"""Test the limits on the sizes of files and folders, and the rules for imports."""

import re
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.components import CLIENT, FOLDERS, README, ROOT, diagram, drawn, imports

LONGEST, LONGEST_TEST, MOST_AT_THE_ROOT, MOST_IN_A_FOLDER = 300, 500, 8, 22
PRODUCT = [path for folder in FOLDERS.values() for path in folder.rglob("*.py")]
TESTS = list((ROOT / "tests").rglob("*.py"))


def too_long(paths, most):
    """Return the files that have too many lines, each with its number of lines."""
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in paths}
    return {name: number for name, number in lines.items() if number > most}


def test_product_files():
    """Each product file has at most the allowed number of lines, so it can be read in one sitting."""
    assert too_long(PRODUCT, LONGEST) == {}


def test_test_files():
    """Each test file has at most the allowed number of lines, so it covers only one subject."""
    assert too_long(TESTS, LONGEST_TEST) == {}


def test_folders():
    """Each product folder has at most the allowed number of Python files."""
    folders = [path.parent for path in PRODUCT]
    crowded = {folder for folder in folders if folders.count(folder) > MOST_IN_A_FOLDER}
    assert crowded == set()


def test_root():
    """The root folder of the client package has at most the allowed number of files."""
    files = [path.name for path in FOLDERS[CLIENT].iterdir() if path.is_file()]
    assert len(files) <= MOST_AT_THE_ROOT, files


def test_no_circular_import():
    """There are no circular imports, not even indirect ones or ones for type checking only."""
    graph = imports()
    found = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    found |= {package: set() for package in FOLDERS}  # the packages only re-export public names
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1][::-1]))


def test_diagram():
    """The diagram in the README shows the current imports; `python tests/components.py` redraws it."""
    assert drawn() == diagram()


@pytest.mark.parametrize("readme", [README, ROOT / "tests" / "README.md"], ids=["client", "tests"])
def test_paths(readme):
    """Each file and folder that a README mentions exists."""
    named = re.findall(r"`([\w/.]+(?:\.py|/))`", readme.read_text())
    assert named
    places = (ROOT, readme.parent, FOLDERS[CLIENT])
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
