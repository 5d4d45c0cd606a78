"""Words that are not used in code, comments, messages and documents: see `words.txt`, one a line."""

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
_BLANKS = r"""[\s#"']+"""  # a phrase may continue on the next line of a comment or of a literal


@cache
def texts():
    """Return the text of each file, as it is and in lower case, by its path."""
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("sigv4", "runtime_client", "tests"):
        paths += [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("README.md")]
    found = {path.relative_to(ROOT): path.read_text() for path in paths}
    return {path: (text, text.lower()) for path, text in found.items()}


def occurrences(word, text):
    """Yield the lines on which a word or phrase is found.

    The pattern is searched for without regard to case, unless it contains a capital letter.  A match
    does not begin or end within a sequence of letters; an underscore is not a letter.
    """
    for match in re.finditer(word.replace(" ", _BLANKS), text):
        start, end = match.span()
        if not (_joins(text, start) or _joins(text, end)):
            yield text.count("\n", 0, start) + 1


def _joins(text, position):
    return text[position - 1 : position].isalpha() and text[position : position + 1].isalpha()


@pytest.mark.parametrize(("word", "reason"), WORDS)
def test_word_is_not_used(word, reason):
    """A word of the list is found nowhere; the list names the usual term."""
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
    """A match is a whole word, also within an identifier, and may span two lines."""
    assert list(occurrences(word, text)) == lines
