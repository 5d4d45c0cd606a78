"""Sentences drawn at random, for reviews of the project's language: `python -m tests.sentences`.

The sentences are those in comments, docstrings, messages and documents.  The same seed draws the
same sentences as long as the files do not change.
"""

import argparse
import ast
import random
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from tests.messages.templates import CODE, templates

ROOT = Path(__file__).parent.parent
FOLDERS = ("sigv4", "runtime_client", "tests")

_Line = tuple[int, str]  # the line number and the text

_END = re.compile(r"(?<=[.!?])[\"')*`]*\s+(?=[\"'(*`]*[A-Z])")
_DIRECTIVE = re.compile(r"!|:? ?(?:noqa|type:|pyright:|pragma|fmt:)")
# Matches the beginning of an item in a list or in a docstring section.
_ITEM = re.compile(r"\s*(?:[-*] |\d+\. |\*{0,2}\w+: )")
_HEADING = re.compile(r"\s*(?:#+ .*|\w+:)$")
_FENCE = re.compile(r"\s*```")


class Sentence(NamedTuple):
    """A sentence, or a fragment such as a heading, and the line on which it begins."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@cache
def sentences() -> list[Sentence]:
    """Return all sentences in the project's code and documents."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    documents = [
        *ROOT.glob("*.md"),
        *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md")),
    ]
    found = [sentence for path in paths for sentence in sentences_of_code(path)]
    found += [sentence for path in sorted(documents) for sentence in sentences_of_document(path)]
    for folder in CODE:
        found += [Sentence(one.file, one.line, "{}".join(one.parts)) for one in templates(folder)]
    return found


def sample(count: int, seed: int) -> list[Sentence]:
    """Return *count* of the project's sentences, drawn at random."""
    return random.Random(seed).sample(sentences(), count)


def sentences_of_code(path: Path) -> Iterator[Sentence]:
    """Yield the sentences in a Python file's docstrings and comments."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                lines = enumerate(docstring.splitlines(), node.body[0].lineno)
                yield from _split(path, _without_code(lines))
    block: list[_Line] = []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT and not _DIRECTIVE.match(token.string[1:]):
            line, column = token.start
            is_trailing = bool(token.line[:column].strip())
            if is_trailing or (block and block[-1][0] != line - 1):
                yield from _split(path, block)
                block = []
            block.append((line, token.string[1:]))
            if is_trailing:
                yield from _split(path, block)
                block = []
    yield from _split(path, block)


def sentences_of_document(path: Path) -> Iterator[Sentence]:
    """Yield the sentences in a Markdown file; each table cell counts as a paragraph."""
    lines: list[_Line] = []
    is_code = False
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        if _FENCE.match(text):
            is_code = not is_code
        elif is_code:
            continue
        elif text.startswith("|"):
            for cell in text.strip("|").split(" | "):
                lines += [(number, ""), (number, cell), (number, "")]
            continue
        lines.append((number, "" if is_code or _FENCE.match(text) else text))
    yield from _split(path, lines)


def _without_code(lines: Iterable[_Line]) -> Iterator[_Line]:
    """Yield a docstring's lines; doctests and indented blocks after ``::`` become empty lines."""
    indent: int | None = None
    is_example = False
    for number, text in lines:
        margin = len(text) - len(text.lstrip())
        if text.strip() and indent is not None and margin <= indent:
            indent = None
        is_example = bool(text.strip()) and (is_example or text.lstrip().startswith(">>>"))
        yield number, "" if indent is not None or is_example else text
        if text.rstrip().endswith("::"):
            indent = margin


def _split(path: Path, lines: Iterable[_Line]) -> Iterator[Sentence]:
    """Yield the sentences of each paragraph; blank lines, headings and list items end a paragraph."""
    paragraph: list[_Line] = []
    for number, text in [*lines, (0, "")]:
        is_heading = bool(_HEADING.match(text))
        if not text.strip() or is_heading or _ITEM.match(text):
            yield from _split_paragraph(path, paragraph)
            paragraph = []
        if text.strip() and not is_heading:
            paragraph.append((number, text.strip()))


def _split_paragraph(path: Path, lines: list[_Line]) -> Iterator[Sentence]:
    starts: list[tuple[int, int]] = []
    text = ""
    for number, line in lines:
        starts.append((len(text), number))
        text += f"{line} "
    file = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
    begin = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        sentence = text[begin:end].strip()
        if len(sentence.split()) > 2:
            line_number = max(number for start, number in starts if start <= begin)
            yield Sentence(file, line_number, sentence)
        begin = end


def main() -> None:
    """Print sentences drawn at random."""
    parser = argparse.ArgumentParser(prog="python -m tests.sentences", description=main.__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many sentences are printed")
    parser.add_argument("--seed", type=int, default=None, help="draws the same sentences again")
    arguments = parser.parse_args()
    seed = random.randrange(1000) if arguments.seed is None else arguments.seed
    print(f"{arguments.count} of {len(sentences())} sentences, seed {seed}")
    for sentence in sample(arguments.count, seed):
        print(sentence)


if __name__ == "__main__":
    main()
