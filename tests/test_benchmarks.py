"""Test the benchmarks: the measured calls, the tables in the READMEs, and the targets."""

import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "tests" / "benchmarks" / "README.md"


HERE = [
    "ours",
    "ours_async",
    "with_boto3",
    "with_httpx",
    "with_httpx_async",
    "floor",
    "floor_async",
]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Make the benchmarks' modules, which are scripts, importable in tests."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")


@pytest.fixture
def summary():
    """Return the module that writes the README's table."""
    import summary

    return summary


@pytest.fixture(scope="module")
def server():
    """Yield the server that all clients call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tests" / "benchmarks")
        import loopback

        with loopback.serving() as server:
            yield server


@pytest.fixture
def variables(server):
    """Return the environment variables with which a client's process imports this checkout."""
    import contenders

    found = contenders.environ(server.ca_bundle)
    path = [found["PYTHONPATH"], str(ROOT), str(ROOT / "runtime_client")]
    return {**found, "PYTHONPATH": os.pathsep.join(path)}


@pytest.mark.parametrize("client", HERE)
def test_a_first_call_is_signed_and_measured(client, server, variables):
    """Each client signs its first call over https, and its process prints five positive figures."""
    import signatures

    figures = signatures.first_call(sys.executable, client, server, variables).split()
    assert len(figures) == 5
    assert all(float(figure) > 0 for figure in figures)


@pytest.mark.parametrize(("client", "at_once"), [("ours", 4), ("ours_async", 4), ("floor", 1)])
def test_a_worker_makes_as_many_calls_as_it_is_told_to(client, at_once, server, variables):
    """A worker can measure calls twice; none of the calls fails, and their CPU time is positive."""
    import workers

    with workers.process(sys.executable, client, server.http, variables) as process:
        worker = workers.Worker(process)
        for _ in range(2):
            took = worker.measure(8, at_once)
            assert took["failed"] == 0
            assert took["us"] > 0


def test_a_worker_that_takes_too_long(server, variables):
    """If the calls of a worker exceed the time limit, `Worker.measure` returns no figures."""
    import workers

    with workers.process(sys.executable, "floor", server.http, variables) as process:
        assert workers.Worker(process).measure(1_000_000, within=0) == {}


def _first_cells(lines):
    return [line.split(" | ")[0] for line in lines if line.startswith("|")]


def test_the_readme_has_the_rows_of_the_report(summary):
    """The README's table has the rows that `make bench-readme` would write."""
    block = summary.BLOCK.search(README.read_text()).group()
    assert _first_cells(summary.lines({})) == _first_cells(block.splitlines())


def test_the_number_of_the_top_readme(summary):
    """The sentence in the top-level README has the numbers that are in the benchmarks' table."""
    (row,) = re.findall(r"^\| cold start over https, ms \|.*", README.read_text(), re.MULTILINE)
    ours, _, boto3 = [cell.strip() for cell in row.split("|")[2:5]]
    shown = summary.NUMBER.search(summary.TOP_README.read_text()).group()
    assert shown == summary.headline(float(ours), float(boto3))


def test_the_charts_exist_and_are_small(summary):
    """The README shows all charts or, if it has no figures, none; each chart is a small file."""
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", summary.BLOCK.search(README.read_text()).group())
    sizes = [(README.parent / picture).stat().st_size for picture in shown]
    assert [Path(picture).name for picture in shown] in ([], list(summary.PICTURES))
    assert all(0 < size < 60_000 for size in sizes)


def test_cells_of_a_row(summary):
    """A row contains the median of each measured client, and the median ratio to the rival."""
    from rounds import Table

    rounds = {
        "ours": [{"us": 100.0}, {"us": 300.0}, {"us": 200.0}],
        "boto3": [{"us": 200.0}, {"us": 1000.0}, {"us": 400.0}],
        "floor": [{"us": 50.0}, {"us": 50.0}, {"us": 50.0}],
    }
    row = next(row for row in summary.ROWS if row.table == "threads 1" and row.unit == "us")
    cells = row.cells({"threads 1": Table("", rounds)})
    assert cells == ["200", "0.50 of boto3", "400", "", "-", "-", "50"]


def test_a_target_is_met_missed_or_not_measured():
    """The verdict depends on whether a figure is above the limit, above the aim, or missing.

    A figure above the limit misses the target.  A figure at or below the limit meets the target; if
    the figure is above the aim, the verdict is "met, not the aim".  Without a figure, the verdict
    is "not measured".
    """
    from rounds import Table
    from targets import Target, verdicts

    target = Target("what", lambda report: report.get("figure"), 0.5, 0.4)
    figures = (0.51, 0.5, 0.4, None)
    found = [target.row({"figure": figure})[-1] for figure in figures]
    assert found == ["MISSED", "met, not the aim", "met", "not measured"]
    report = {"crowd": Table("", {"ours, async": [{"KiB each": 3.0, "failed": 0}]})}
    assert verdicts(report, whole=False).count("  met") == 2
    assert verdicts({}, whole=False) == ""


def _verdicts_of_layers(report):
    """Return the ratio and the verdict for each layer, keyed by the layer's description."""
    import targets

    rows = [target.row(report) for target in targets.TARGETS if target.after]
    return {row[0].partition(", zipped")[0]: (row[1], row[-1]) for row in rows}


def test_ratios_of_layers(tmp_path):
    """If a layer has ratios for two architectures, the larger ratio counts.

    If boto3's layer was not built, there is no ratio.
    """
    from footprint import layers
    from rounds import Table

    sizes = {"boto3-python3.12-x86_64": 1000, "ours-0.1-lean-python3.12-x86_64": 80}
    sizes |= {"boto3-python3.12-arm64": 1000, "ours-0.1-lean-python3.12-arm64": 84}
    sizes |= {"ours-0.1-lean-sourceless-python3.12-arm64": 66}
    sizes |= {"boto3-python3.11-arm64": 1000, "ours-0.1-full-python3.11-arm64": 370}
    sizes |= {"ours-0.1-full-python3.13-arm64": 10}
    for name, kilobytes in sizes.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("python/module.py", bytes(kilobytes * 1000))
    found = _verdicts_of_layers({"layers": Table("", layers(tmp_path))})
    unknown = ("-", "not measured: run make layer first")
    measured = {what: verdict for what, verdict in found.items() if verdict != unknown}
    assert measured == {
        "lean layer of Python 3.12": ("0.084", "met"),
        "lean layer without sources of Python 3.12": ("0.066", "MISSED"),
        "full layer of Python 3.11": ("0.370", "met"),
    }


def test_each_supported_python_has_three_layers():
    """Each supported Python has targets for three layers.

    If no layers were built, the verdicts contain the command that builds them.
    """
    from sagemaker_runtime_client.layer._recipe import PYTHONS

    kinds = ("lean layer", "lean layer without sources", "full layer")
    expected = {f"{kind} of Python {python}" for kind in kinds for python in PYTHONS}
    found = _verdicts_of_layers({})
    assert set(found) == expected
    assert set(found.values()) == {("-", "not measured: run make layer first")}


def test_partial_reports_and_missing_layers():
    """In a partial report, the verdicts mention missing layers only if the footprint was measured."""
    from rounds import Table
    from targets import verdicts

    from sagemaker_runtime_client.layer._recipe import PYTHONS

    some = Table("", {"ours": [{"MB": 1.0}]})
    said = verdicts({"footprint": some}, whole=False).count("not measured: run make layer first")
    assert said == 3 * len(PYTHONS)
    assert verdicts({"import": some}, whole=False) == ""
