"""Test that code, comments, messages and documents contain none of the words in `words.txt`."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = [
    line.split("\t")
    for line in Path(__file__).with_name("words.txt").read_text().splitlines()
    if line and not line.startswith("# ")
]
# Matches a space in a phrase, or a line break within the phrase in a comment or a string.
_BLANKS = r"""[\s#"']+"""


@cache
def texts():
    """Return the text of each file, unchanged and in lower case, keyed by path."""
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("sigv4", "runtime_client", "tests"):
        paths += [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("README.md")]
    found = {path.relative_to(ROOT): path.read_text() for path in paths}
    return {path: (text, text.lower()) for path, text in found.items()}


def occurrences(word, text):
    """Yield the number of each line on which a match of a word or phrase begins.

    The search ignores case unless the pattern contains a capital letter.  A match neither begins
    nor ends within a sequence of letters; an underscore does not count as a letter.
    """
    for match in re.finditer(word.replace(" ", _BLANKS), text):
        start, end = match.span()
        if not (_joins(text, start) or _joins(text, end)):
            yield text.count("\n", 0, start) + 1


def _joins(text, position):
    return text[position - 1 : position].isalpha() and text[position : position + 1].isalpha()


@pytest.mark.parametrize(("word", "reason"), WORDS)
def test_word_is_not_used(word, reason):
    """No file contains the word; the failure message contains the term to use instead."""
    ignores_case = word == word.lower()
    found = [
        f"{path}:{line}"
        for path, both in texts().items()
        for line in occurrences(word, both[ignores_case])
    ]
    assert not found, f"{word!r} is used; write: {reason}\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("word", "text", "lines"),
    [
        ("inlet", "an inlet\ninlets", [1]),
        ("inlets?", "an inlet\ninlets", [1, 2]),
        ("inlet", "_inlet_size", [1]),
        ("old inlet", "an old\n    # inlet", [1]),
        ("old inlet", '"an old "\n"inlet"', [1]),
    ],
)
def test_where_a_word_is_found(word, text, lines):
    """A match must be a whole word, which may be part of an identifier; a phrase may span two
    lines.
    """
    assert list(occurrences(word, text)) == lines
