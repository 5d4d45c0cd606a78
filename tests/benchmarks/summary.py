"""Write the figures into the READMEs, and draw the charts: `make bench-readme`.

The README in this folder has the table and the links to the charts between two markers.  The
top-level README has one sentence with numbers between two other markers.  Everything between the
markers is replaced.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rounds import Table, text

ROOT = Path(__file__).parent.parent.parent
TOP_README = ROOT / "README.md"
README = Path(__file__).parent / "README.md"
PICTURES = {
    "cold_start.svg": "A cold start over https, from exec to the first response",
    "cpu_per_call.svg": "CPU time per call on asyncio, by the number of calls at once",
}
BLOCK = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)
NUMBER = re.compile(r"(?<=<!-- number -->\n).*?(?=<!-- /number -->)", re.DOTALL)
COLUMNS = ("ours", "boto3", "aiobotocore", "capo", "httpx", "floor")
SYNC = {"ours": "ours", "boto3": "boto3", "capo": "capo", "httpx": "httpx", "floor": "floor"}
ASYNC = {
    "ours": "ours, async",
    "aiobotocore": "aiobotocore",
    "capo": "capo, async",
    "httpx": "httpx, async",
    "floor": "floor, async",
}


class Row(NamedTuple):
    """A row of the README's table.

    It specifies where the row's figures are in the report, and the rival with which this package is
    compared.
    """

    what: str
    table: str
    unit: str
    rival: str
    names: Mapping[str, str]

    def cells(self, report: Mapping[str, Table]) -> list[str]:
        """Return the cells of the row without its title; the second cell is the ratio."""
        table = report.get(self.table)
        if table is None:
            return ["-"] * (len(COLUMNS) + 1)
        figures = [
            text(table.value(self.names[column], self.unit)) if column in self.names else ""
            for column in COLUMNS
        ]
        ratio = table.ratio(self.names["ours"], self.names.get(self.rival, self.rival), self.unit)
        return [figures[0], f"{text(ratio, 2)} of {self.rival}", *figures[1:]]


EACH = SYNC | {"aiobotocore": "aiobotocore"}
WITHOUT_CRYPTOGRAPHY = EACH | {"ours": "ours, lean"}
SIGNERS = {"ours": "ours", "boto3": "botocore", "capo": "capo", "floor": "floor"}
DECODERS = {"ours": "ours", "boto3": "botocore", "capo": "capo"}
ROWS = (
    Row("installed size, MB", "footprint", "MB", "boto3", EACH),
    Row(
        "installed size without cryptography, MB", "footprint", "MB", "boto3", WITHOUT_CRYPTOGRAPHY
    ),
    Row("import in a new process, ms", "import", "ms", "boto3", EACH),
    Row("cold start over https, ms", "cold https", "ms", "boto3", SYNC),
    Row("cold start over https on asyncio, ms", "cold https", "ms", "boto3", ASYNC),
    Row("cold start over http, ms", "cold http", "ms", "boto3", SYNC),
    Row("cold start over http on asyncio, ms", "cold http", "ms", "boto3", ASYNC),
    Row("peak memory of a first call, MB", "cold https", "peak MB", "boto3", SYNC),
    Row("signature, us", "sign", "us", "boto3", SIGNERS),
    Row("CPU time per call, us", "threads 1", "us", "boto3", SYNC),
    Row("CPU time per call in 16 threads, us", "threads 16", "us", "boto3", SYNC),
    Row("CPU time per call on asyncio, 1 at once, us", "tasks 1", "us", "aiobotocore", ASYNC),
    Row("CPU time per call on asyncio, 10 at once, us", "tasks 10", "us", "aiobotocore", ASYNC),
    Row("CPU time per call on asyncio, 64 at once, us", "tasks 64", "us", "aiobotocore", ASYNC),
    Row("calls per second", "threads 1", "calls/s", "boto3", SYNC),
    Row("calls per second in 16 threads", "threads 16", "calls/s", "boto3", SYNC),
    Row("calls per second on asyncio, 64 at once", "tasks 64", "calls/s", "aiobotocore", ASYNC),
    Row(
        "memory per call, 10,000 at once on asyncio, KiB", "crowd", "KiB each", "aiobotocore", ASYNC
    ),
    Row("CPU time of `invoke_endpoint`, us", "invoke", "us", "boto3", SYNC),
    Row("CPU time of `invoke_endpoint` on asyncio, us", "invoke", "us", "aiobotocore", ASYNC),
    Row("decoding of an event of 60 B, us", "decode 60", "us", "boto3", DECODERS),
    Row("decoding of an event of 1 KB, us", "decode 1024", "us", "boto3", DECODERS),
    Row("decoding of an event of 16 KB, us", "decode 16384", "us", "boto3", DECODERS),
    Row("CPU time per event of a stream over https, us", "stream 1", "us", "boto3", SYNC),
    Row("the same on asyncio, us", "stream 1", "us", "aiobotocore", ASYNC),
    Row("delay of a stream's first item, ms", "first item", "ms", "boto3", SYNC),
    Row("the same on asyncio, ms", "first item", "ms", "aiobotocore", ASYNC),
)


def lines(report: Mapping[str, Table]) -> list[str]:
    """Return the table in Markdown, with "-" for figures that were not measured."""
    names = ("", "ours", "ratio", *COLUMNS[1:])
    rule = ("---", *["--:"] * (len(names) - 1))
    rows = [(row.what, *row.cells(report)) for row in ROWS]
    return [f"| {' | '.join(row)} |" for row in (names, rule, *rows)]


def headline(ours: float | None, boto3: float | None) -> str:
    """Return the sentence for the top-level README about the duration of a cold start over https."""
    return (
        "On the benchmark machine, a process that starts and makes its first call over https takes "
        f"{text(ours)} ms. With boto3 the same takes {text(boto3)} ms.\n"
    )


def keep(report: Mapping[str, Table], heading: str) -> None:
    """Write the charts and the table into this folder, and the sentence into the top-level README."""
    from pictures import draw

    folder = Path(__file__).parent
    for name, path in ((name, folder / name) for name in PICTURES):
        draw(name, report, path)
    shown = [f"![{title}]({name})" for name, title in PICTURES.items()]
    block = "\n".join([heading, "", *lines(report), "", *shown, ""])
    README.write_text(BLOCK.sub(lambda _: block, README.read_text()))
    cold = report["cold https"]
    sentence = headline(cold.value("ours", "ms"), cold.value("boto3", "ms"))
    TOP_README.write_text(NUMBER.sub(lambda _: sentence, TOP_README.read_text()))
