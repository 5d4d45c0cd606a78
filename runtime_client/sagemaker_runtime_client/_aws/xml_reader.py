"""A reader of the small XML documents that AWS services send.

Source: https://docs.python.org/3/library/pyexpat.html
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .._io.generation import importing

# An STS response has texts at the path AssumeRoleResponse/AssumeRoleResult/Credentials/AccessKeyId.
_MAX_DEPTH = 4
# A listing of S3 has at most 1,000 entries, each of at most 20 elements.
_MAX_ELEMENTS = 50_000

Fields = dict[str, str]


class Document(NamedTuple):
    """The content of an XML document.

    Attributes:
        root: The name of the root element; None if the text is not XML.
        texts: The texts of all elements that are not in a record, keyed by the path below the root,
            such as ``a/b``.  If a path is repeated, its texts are joined.
        records: For each repeated element, its texts, keyed by the path below it.
    """

    root: str | None
    texts: Fields
    records: list[Fields]

    def __repr__(self) -> str:
        """Return the name of the root element alone, because the texts may be secrets."""
        return f"Document(root={self.root!r})"


_NO_DOCUMENT = Document(None, {}, [])


def read_xml(body: bytes, repeated: Collection[str] = ()) -> Document:
    """Return the content of an XML document; its root is None if *body* is not XML.

    Elements without text and elements that are nested too deeply are omitted.  A document type
    declaration is rejected, because AWS never sends one, and because the entities that it declares
    could make a small response expand to a large one.  A document with too many elements is
    rejected, too.

    Args:
        body: The text of the document.
        repeated: The names of the children of the root that are records, such as ``Contents``.
    """
    with importing():
        from xml.parsers import expat

    reader = _Reader(repeated)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body.lstrip(), True)  # S3 may send white space before the document
    except (expat.ExpatError, LookupError, ValueError):  # an unknown encoding raises LookupError
        return _NO_DOCUMENT
    return Document(
        reader.root, _joined(reader.pieces), [_joined(record) for record in reader.records]
    )


Pieces = dict[tuple[str, ...], list[str]]


class _Reader:
    """Collects the texts that expat reports."""

    def __init__(self, repeated: Collection[str]) -> None:
        self.root: str | None = None
        self.pieces: Pieces = {}
        self.records: list[Pieces] = []
        self._repeated = repeated
        self._path: list[str] = []
        self._elements = 0

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise ValueError
        if not self._path:
            self.root = name
        self._path.append(name)
        if len(self._path) == 2 and name in self._repeated:
            self.records.append({})

    def end(self, _name: str) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        path, start = self._path, 1
        if not 2 <= len(path) <= _MAX_DEPTH:
            return
        pieces = self.pieces
        if path[1] in self._repeated:
            pieces, start = self.records[-1], 2
        if path[start:]:  # otherwise the text is white space between the elements of a record
            pieces.setdefault(tuple(path[start:]), []).append(data)


def _refuse(*_declaration: object) -> None:
    raise ValueError


def _joined(pieces: Pieces) -> Fields:
    return {"/".join(path): "".join(texts) for path, texts in pieces.items()}
