"""Builds and parses the XML documents of S3."""

from xml.etree import ElementTree as ET

from .._reply import XML_HEADER, RejectedRequestError, Reply, rejection

DATE_FORMAT = "%Y-%m-%dT%H:%M:%S.000Z"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def xml_reply(root: str, content: str) -> Reply:
    """Return a response that contains an XML document.

    Args:
        root: The name of the root element.
        content: The XML of the elements in the root element.
    """
    document = f'{XML_HEADER}<{root} xmlns="{_NAMESPACE}">{content}</{root}>'
    return Reply(200, {"content-type": "application/xml"}, document.encode())


def parse_elements(body: bytes, root: str, name: str) -> tuple[ET.Element, list[dict[str, str]]]:
    """Parse a document in the body of a request.

    The XML namespace of the document is optional, as in S3.

    Args:
        body: The document.
        root: The required name of the root element.
        name: The name of the elements that the list contains.

    Returns:
        The root element; and for each element, the texts of its children, keyed by name.

    Raises:
        RejectedRequestError: The document is malformed, or contains no such element.
    """
    try:
        document = ET.fromstring(body)  # noqa: S314 (expat limits how far entities expand)
    except ET.ParseError:
        raise malformed() from None
    elements = document.findall(f"{{*}}{name}")
    if _local_name(document) != root or not elements:
        raise malformed()
    return document, [
        {_local_name(child): child.text or "" for child in element} for element in elements
    ]


def malformed() -> RejectedRequestError:
    """Return S3's error for a document that does not conform to its schema."""
    return rejection(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
