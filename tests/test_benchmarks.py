"""The README's figures are those of the report: the same rows, and pictures that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture
def summary(monkeypatch):
    """Return the module that writes them."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    import summary

    return summary


def _first_cells(lines):
    return [line.split(" | ")[0] for line in lines if line.startswith("|")]


def test_the_readme_has_the_rows_of_the_report(summary):
    """What `make bench-readme` would write now has the rows that stand there."""
    block = summary.BLOCK.search(README).group()
    assert _first_cells(summary.lines({})) == _first_cells(block.splitlines())


def test_the_pictures_are_there_and_small(summary):
    """Whatever picture is shown is a file of some kilobytes; without figures there is none."""
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", summary.BLOCK.search(README).group())
    sizes = [(ROOT / picture).stat().st_size for picture in shown]
    assert [Path(picture).name for picture in shown] in ([], list(summary.PICTURES))
    assert all(0 < size < 60_000 for size in sizes)


def test_figures_and_ratios_find_their_cells(summary):
    """A table's medians stand below their contenders, the ratio of the rounds beside ours."""
    from rounds import Table

    rounds = {
        "ours": [{"us": 100.0}, {"us": 300.0}, {"us": 200.0}],
        "boto3": [{"us": 200.0}, {"us": 1000.0}, {"us": 400.0}],
        "floor": [{"us": 50.0}, {"us": 50.0}, {"us": 50.0}],
    }
    row = next(row for row in summary.ROWS if row.table == "threads 1" and row.unit == "us")
    cells = row.cells({"threads 1": Table("", rounds)})
    assert ["200", "0.50 of boto3", "400", "", "-", "-", "50.0"] == cells
