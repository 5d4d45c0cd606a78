"""The targets for the figures, and verdicts on whether the figures meet them."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from contenders import BASELINE
from rounds import Table, aligned, text

from sagemaker_runtime_client.layer._recipe import PYTHONS

Report = Mapping[str, Table]
UNKNOWN = "not measured"


class Target(NamedTuple):
    """A limit for a figure, and possibly a stricter limit to aim at.

    If *after* is not empty, it is a command that must run before the figure can be measured.
    """

    what: str
    figure: Callable[[Report], float | None]
    must: float
    aim: float | None = None
    after: str = ""

    def row(self, report: Report) -> list[str]:
        """Return the row of this target in the table of targets."""
        figure = self.figure(report)
        if figure is None:
            verdict = f"{UNKNOWN}: run {self.after} first" if self.after else UNKNOWN
        elif figure > self.must:
            verdict = "MISSED"
        else:
            verdict = "met" if self.aim is None or figure <= self.aim else "met, not the aim"
        return [self.what, text(figure, 3), f"{self.must:g}", f"{self.aim or ''}", verdict]

    def is_part_of(self, report: Report) -> bool:
        """Return whether the report contains the figure, or would contain it after *after* has run."""
        # Only the figures of layers require a command.  They are measured in the part "footprint".
        looked_for = bool(self.after) and "footprint" in report
        return looked_for or self.figure(report) is not None


def _ratio(key: str, rival: str, unit: str, own: str = "ours") -> Callable[[Report], float | None]:
    return lambda report: report[key].ratio(own, rival, unit) if key in report else None


def _value(key: str, name: str, unit: str) -> Callable[[Report], float | None]:
    return lambda report: report[key].value(name, unit) if key in report else None


def _growing(report: Report) -> float | None:
    one, many = (_value(f"tasks {n}", "ours, async", "us")(report) for n in (1, 64))
    return many / one if one and many else None


def _layer(variant: str, python: str) -> Callable[[Report], float | None]:
    """Return a function that looks up the ratio of a layer's size to that of boto3's layer.

    If the report has ratios for several architectures, the function returns the largest one.
    """

    def figure(report: Report) -> float | None:
        table = report.get("layers", Table("", {}))
        names = [name for name in table.rounds if f"-{variant}-python{python}-" in name]
        ratios = [table.value(name, "x boto3 zipped") for name in names]
        return max((ratio for ratio in ratios if ratio is not None), default=None)

    return figure


def _layers() -> Iterator[Target]:
    for what, variant, must in (
        ("lean layer", "lean", 0.1),
        ("lean layer without sources", "lean-sourceless", 0.065),
        ("full layer", "full", 0.38),
    ):
        for python in PYTHONS:
            where = f"{what} of Python {python}, zipped, relative to boto3's"
            yield Target(where, _layer(variant, python), must, after="make layer")


def _cold() -> Iterator[Target]:
    for scheme, most in (("https", (0.43, 0.52)), ("http", (0.55, 0.55))):
        rivals = (("ours", "capo"), ("ours, async", "capo, async"))
        for must, (own, capo) in zip(most, rivals, strict=True):
            where = f"cold start of {own}, over {scheme}"
            key = f"cold {scheme}"
            yield Target(f"{where}, relative to boto3", _ratio(key, "boto3", "ms", own), must)
            with_exit = _ratio(key, "boto3", "ms with exit", own)
            yield Target(f"{where}, relative to boto3, with process exit", with_exit, 0.55, 0.5)
            # The figure should be well below capo's; this target requires it to be at least 10%
            # below.
            yield Target(f"{where}, relative to capo", _ratio(key, capo, "ms", own), 0.9)


def _warm() -> Iterator[Target]:
    for threads, must in ((1, 0.37), (16, 0.4)):
        key, what = f"threads {threads}", f"CPU time per call, threads: {threads}"
        yield Target(f"{what}, relative to boto3", _ratio(key, "boto3", "us"), must)
        yield Target(f"{what}, relative to capo", _ratio(key, "capo", "us"), 1)
    for tasks, must, aim in ((1, 0.8, None), (10, 0.7, 0.5), (64, 0.45, None)):
        key, what, own = f"tasks {tasks}", f"CPU time per call, tasks: {tasks}", "ours, async"
        yield Target(
            f"{what}, relative to aiobotocore", _ratio(key, "aiobotocore", "us", own), must, aim
        )
        yield Target(f"{what}, relative to capo", _ratio(key, "capo, async", "us", own), 1)


def _stream() -> Iterator[Target]:
    for size, must in ((60, 4), (1024, 4), (16_384, None)):
        key, what = f"decode {size}", f"decoding of an event of {size:,} B"
        if must:
            yield Target(f"{what}, us", _value(key, "ours", "us"), must)
        yield Target(f"{what}, relative to botocore", _ratio(key, "botocore", "us"), 1)
    pairs = (("ours", "boto3"), ("ours, async", "aiobotocore"))
    for own, rival in pairs:
        for at_once in (1, 50):
            what = f"stream of 1,000 events over https, {at_once} at once, {own}"
            yield Target(
                f"{what}, relative to {rival}", _ratio(f"stream {at_once}", rival, "us", own), 0.5
            )
    for own, _ in pairs:
        yield Target(f"delay of the first item, {own}, ms", _value("first item", own, "ms"), 5)
        growth = _value("stream growth", own, "KiB grown")
        yield Target(f"a stream of 1,000,000 events, {own}, growth in KiB", growth, 512)
    yield Target(
        "CPU time of invoke_endpoint, relative to boto3", _ratio("invoke", "boto3", "us"), 0.42
    )


def _before() -> Iterator[Target]:
    """Yield targets that compare figures with an earlier revision; 3% more than before is allowed."""
    asynchronous = (f"{name}, async" for name in ("ours", BASELINE))
    pairs = {"threads": ("ours", BASELINE), "tasks": tuple(asynchronous)}
    for key in ("threads 1", "threads 16", "tasks 1", "tasks 10", "tasks 64"):
        own, before = pairs[key.split()[0]]
        what = f"CPU time per call, {key.replace(' ', ': ')}, relative to the baseline"
        yield Target(what, _ratio(key, before, "us", own), 1.03)
    for scheme in ("https", "http"):
        for own, before in pairs.values():
            what = f"cold start of {own}, over {scheme}, relative to the baseline"
            yield Target(what, _ratio(f"cold {scheme}", before, "ms", own), 1.03)


TARGETS = (
    *_layers(),
    *_cold(),
    *_warm(),
    *_stream(),
    *_before(),
    Target("CPU time per call, 64 tasks relative to 1", _growing, 1.3),
    Target("10,000 calls at once, KiB per call", _value("crowd", "ours, async", "KiB each"), 4),
    Target("10,000 calls at once, failed", _value("crowd", "ours, async", "failed"), 0),
    Target("100,000 calls, growth in KiB", _value("growth", "ours", "KiB grown"), 512),
    Target(
        "100,000 calls on asyncio, growth in KiB", _value("growth", "ours, async", "KiB grown"), 512
    ),
)


def verdicts(report: Report, *, whole: bool) -> str:
    """Return the table of targets; if *whole* is false, omit targets for figures that the report
    lacks.
    """
    rows = [target.row(report) for target in TARGETS if whole or target.is_part_of(report)]
    return "\nTargets\n" + aligned([["", "measured", "must", "aim", ""], *rows]) if rows else ""
