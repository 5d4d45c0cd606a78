"""Test `sentences.py`, which draws sentences for reviews of the project's language."""

from pathlib import Path

from tests.sentences import sample, sentences, sentences_of_code, sentences_of_document

CODE = '''"""
A module.  It has two sentences,
the second one on two lines.

Args:
    name: The name of it.

Example::

    not_a = "sentence of the docstring"

>>> "not" + "this"
"""

first = 1  # a trailing comment
# This comment has
# two lines.
second = 2  # noqa: ERA001
'''
DOCUMENT = """# Heading

A paragraph. With *two* sentences.

- an item of a list

| the first cell | the second cell |

```python
code = "is left out"
```
"""


def found(path, text, split):
    """Return the line number and the text of each sentence in a file."""
    path.write_text(text)
    return [(sentence.line, sentence.text) for sentence in split(path)]


def test_code(tmp_path):
    """Docstrings and comments are split into sentences; code examples and directives are skipped."""
    assert found(tmp_path / "module.py", CODE, sentences_of_code) == [
        (2, "It has two sentences, the second one on two lines."),
        (6, "name: The name of it."),
        (15, "a trailing comment"),
        (16, "This comment has two lines."),
    ]


def test_document(tmp_path):
    """Paragraphs, list items and table cells are split into sentences; code blocks are skipped."""
    assert found(tmp_path / "README.md", DOCUMENT, sentences_of_document) == [
        (3, "With *two* sentences."),
        (5, "- an item of a list"),
        (7, "the first cell"),
        (7, "the second cell"),
    ]


def test_sample():
    """The same seed draws the same sentences, from code, messages and documents."""
    assert len(sample(20, seed=7)) == 20
    assert sample(20, seed=7) == sample(20, seed=7)
    assert sample(20, seed=7) != sample(20, seed=8)
    assert {Path(sentence.file).suffix for sentence in sentences()} == {".py", ".md"}
