"""Every message that a user can see, with the input that makes it: the tables in the files ``of_*.py``."""

import pytest

from tests.messages.said import plain, said, tables
from tests.messages.templates import templates

TABLES = tables()
ROWS = [row for table in TABLES for row in table.MESSAGES]
ROOMS = [room for table in TABLES for room in table.ROOMS]


@pytest.mark.parametrize(("make", "text"), ROWS, ids=[text[:60] for _, text in ROWS])
def test_a_message(make, text):
    """The input makes the message, word for word; where lines break does not matter."""
    assert plain(said(make)) == plain(text)


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_is_missing(room):
    """Each message in the code is one of the tables' texts, with values put into it."""
    texts = [plain(text) for _, text in ROWS]
    missing = [
        str(template)
        for template in templates(room)
        if not any(template.pattern.search(text) for text in texts)
    ]
    assert missing == []
