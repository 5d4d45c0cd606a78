"""Test that each message that a user can see is in a table in ``of_*.py``, with an input for it."""

import pytest

from tests.messages.said import plain, said, tables
from tests.messages.templates import CODE, ROOT, templates

TABLES = tables()
ROWS = [row for table in TABLES for row in table.MESSAGES]
COVERED = [path for table in TABLES for path in table.COVERED]


@pytest.mark.parametrize(("make", "text"), ROWS, ids=[text[:60] for _, text in ROWS])
def test_a_message(make, text):
    """The input in a table row gives exactly the message in the row, except for line breaks."""
    assert plain(said(make)) == plain(text)


@pytest.mark.parametrize("path", COVERED)
def test_no_message_is_missing(path):
    """Each message in the product's code is in a table, with values in place of its placeholders."""
    texts = [plain(text) for _, text in ROWS]
    missing = [
        str(template)
        for template in templates(path)
        if not any(template.pattern.search(text) for text in texts)
    ]
    assert missing == []


def test_each_file_is_covered():
    """Each file of the product is in the `COVERED` of a table, alone or in a folder."""
    files = {file for folder in CODE for file in (ROOT / folder).rglob("*.py")}
    covered = {file for path in COVERED for file in [ROOT / path, *(ROOT / path).rglob("*.py")]}
    assert sorted(files - covered) == []
