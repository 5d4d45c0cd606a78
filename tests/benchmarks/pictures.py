"""Draw charts for the README in colors that are readable on light and on dark pages."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from calls import TASKS
from matplotlib.figure import Figure
from rounds import Table
from summary import PICTURES

INK = "#848d97"
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "font.family": "sans-serif",
    "font.size": 10,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text, so that the file is small
    "svg.hashsalt": "bench",  # fixed, so that the same figures always produce the same bytes
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
COLORS = {
    "ours": "#2f81f7",
    "boto3": "#db6d28",
    "aiobotocore": "#db6d28",
    "capo": "#a371f7",
    "httpx": "#3fb950",
    "floor": INK,
}


def draw(name: str, report: Mapping[str, Table], path: Path) -> None:
    """Draw the chart *name* into a file."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(PICTURES[name], loc="left")
        DRAWN[name](axes, report)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, transparent=True, metadata=metadata)


def _cold_start(axes: Any, report: Mapping[str, Table]) -> None:
    """For each client, draw a horizontal bar of three parts; the fastest client is at the top."""
    table = report["cold https"]
    whole = {name: table.value(name, "ms") or 0.0 for name in table.rounds}
    names = sorted(whole, key=whole.__getitem__, reverse=True)
    colors = [COLORS[name.partition(",")[0]] for name in names]
    imports, calls = (
        [table.value(name, unit) or 0.0 for name in names]
        for unit in ("imports ms", "client and call ms")
    )
    python = [whole[name] - one - two for name, one, two in zip(names, imports, calls, strict=True)]
    left = [0.0] * len(names)
    for part, widths, alpha in (
        ("Python itself", python, 0.3),
        ("imports", imports, 0.6),
        ("client and first call", calls, 1.0),
    ):
        axes.barh(names, widths, left=left, color=colors, alpha=alpha, height=0.7)
        axes.barh(names[:1], [0], color=INK, alpha=alpha, label=part)  # an empty bar for the legend
        left = [before + width for before, width in zip(left, widths, strict=True)]
    for number, name in enumerate(names):
        axes.annotate(
            f"{whole[name]:.0f}",
            (whole[name], number),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xlabel("ms")
    axes.legend(loc="upper right")


def _cpu_per_call(axes: Any, report: Mapping[str, Table]) -> None:
    """Draw a line for each client; the legend lists the clients by their last value, highest first."""
    tables = [report[f"tasks {number}"] for number in TASKS]
    lines = {
        name: [table.value(name, "us") or 0.0 for table in tables] for name in tables[0].rounds
    }
    for name, values in sorted(lines.items(), key=lambda line: line[1][-1], reverse=True):
        short = name.partition(",")[0]
        axes.plot(TASKS, values, marker="o", color=COLORS[short], linewidth=2, label=short)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_xticks(TASKS, [str(number) for number in TASKS])
    ticks = (50, 100, 200, 500, 1000, 2000, 5000)
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlabel("calls at once")
    axes.set_ylabel("us of CPU each")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


DRAWN: dict[str, Callable[[Any, Mapping[str, Table]], None]] = {
    "cold_start.svg": _cold_start,
    "cpu_per_call.svg": _cpu_per_call,
}
