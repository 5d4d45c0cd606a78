"""Tests of the reader of XML documents: records, and what it refuses."""

import pytest

from sagemaker_runtime_client._aws.xml_reader import Document, read_xml

LISTING = b"""
<?xml version="1.0" encoding="UTF-8"?>
<List xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<IsTruncated>true</IsTruncated>
<Contents>
<Key>a &amp; b</Key><Owner><ID>1</ID></Owner></Contents>
<Contents/>
<Contents><Key>c</Key><Key>d</Key></Contents>
<Other><Key>e</Key></Other>
</List>"""
ENTITIES = (
    b"""<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;">]><a><b>&c;</b></a>"""
)
EXTERNAL = b"""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><b>&b;</b></a>"""
NOTHING = Document(None, {}, [])


def test_records():
    """Each repeated element becomes a record, and all other elements become texts."""
    root, texts, records = read_xml(LISTING, ["Contents"])
    assert root == "List"
    assert texts == {"IsTruncated": "true", "Other/Key": "e"}
    assert records == [{"Key": "a & b", "Owner/ID": "1"}, {}, {"Key": "cd"}]


def test_no_records():
    """Without repeated elements, all texts are keyed by path."""
    document = read_xml(b"<a><b>1</b><b>2</b><c><d>3</d></c></a>")
    assert document == Document("a", {"b": "12", "c/d": "3"}, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a><b>",
        ENTITIES,
        EXTERNAL,
        b'<?xml version="1.0" encoding="no-such-encoding"?><a/>',
        b"<a>\xff</a>",
        b"<a>" + b"<b/>" * 50_000 + b"</a>",
        b"<a>" * 50_001 + b"</a>" * 50_001,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_refused(body):
    """Text that is not XML, declares entities, or has too many elements has no content."""
    assert read_xml(body, ["b"]) == NOTHING


def test_depth():
    """Elements that are nested too deeply are omitted, however deep they are."""
    body = b"<a>" * 10_000 + b"x" + b"</a>" * 10_000
    assert read_xml(body) == Document("a", {}, [])
    assert read_xml(b"<a><b><c><d>1</d></c></b></a>").texts == {"b/c/d": "1"}
    assert read_xml(b"<a><b><c><d><e>1</e></d></c></b></a>", ["b"]) == Document("a", {}, [{}])
