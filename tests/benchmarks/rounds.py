"""The common method of all measurements: interleaved rounds, medians and ratios."""

from collections.abc import Callable, Mapping
from math import inf
from statistics import median
from typing import NamedTuple

Figures = Mapping[str, float]  # figures, keyed by their units
Measure = Callable[[], Figures]


class Table(NamedTuple):
    """A table of measurements: for each client, the figures of each round."""

    title: str
    rounds: dict[str, list[Figures]]
    rivals: tuple[str, ...] = ()

    @property
    def units(self) -> list[str]:
        """The units that were measured; ratios are shown for the first one."""
        return list(next(figures[0] for figures in self.rounds.values() if figures))

    def series(self, name: str, unit: str) -> list[float]:
        """Return a client's figures in one unit, or an empty list if it has none."""
        return [figures[unit] for figures in self.rounds.get(name, ()) if unit in figures]

    def value(self, name: str, unit: str) -> float | None:
        """Return the median of a client's figures in one unit, or None if it has no figures."""
        series = self.series(name, unit)
        return median(series) if series else None

    def ratio(self, name: str, rival: str, unit: str) -> float | None:
        """Return the median of the ratios of *name* to *rival* in the rounds; None if there are none.

        The two figures of a ratio are from the same round, so they were measured under similar
        load.
        """
        pairs = zip(self.series(name, unit), self.series(rival, unit), strict=False)
        ratios = [own / other for own, other in pairs if other]
        return median(ratios) if ratios else None

    def __str__(self) -> str:
        """Return the title and the table, which has one row for each client."""
        first, *others = self.units
        names = ["", first, "spread", *(f"x {rival}" for rival in self.rivals), *others]
        rows = [[name, *self._cells(name, first, others)] for name in self.rounds]
        return f"\n{self.title}\n{aligned([names, *rows])}"

    def _cells(self, name: str, first: str, others: list[str]) -> list[str]:
        series = self.series(name, first)
        spread = f"{(max(series) - min(series)) / median(series):.0%}" if len(series) > 1 else ""
        ratios = (text(self.ratio(name, rival, first), 2) for rival in self.rivals)
        values = (text(self.value(name, unit)) for unit in others)
        return [text(self.value(name, first)), spread, *ratios, *values]


def text(value: float | None, digits: int | None = None) -> str:
    """Format a figure with *digits* decimal places, or by default about three significant digits."""
    if value is None:
        return "-"
    if value == inf:
        return "not finished"
    if digits is None:
        whole = abs(value) >= 100 or float(value).is_integer()
        digits = 0 if whole else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def aligned(rows: list[list[str]]) -> str:
    """Format rows as columns; the first column is aligned left, the others are aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [f"  {row[0]:<{widths[0]}}"]
            + [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in rows
    )


def side_by_side(
    title: str, contenders: Mapping[str, Measure], rounds: int, rivals: tuple[str, ...]
) -> Table:
    """In each round, measure every client once, so that a busy machine affects all of them equally."""
    for measure in contenders.values():  # this warms up the clients
        measure()
    table = Table(title, {name: [] for name in contenders}, rivals)
    for _ in range(rounds):
        for name, measure in contenders.items():
            table.rounds[name].append(measure())
    return table
