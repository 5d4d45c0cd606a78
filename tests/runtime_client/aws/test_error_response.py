"""Tests of parsing error responses in JSON and XML."""

import json
from datetime import UTC, datetime

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    InternalFailureError,
    ObjectNotFoundError,
    RequestValidationError,
    Response,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
)
from sagemaker_runtime_client._aws.error_response import (
    json_error,
    query_error,
    xml_error,
    xml_fields,
    xml_texts,
)

TYPE = "x-amzn-errortype"
PARSER = create_parser("rest-json")


def both(status, headers, body):
    """Return two pairs of code and message for an error response: the first as parsed by botocore,
    the second as parsed by this client.
    """
    given_response = {"status_code": status, "headers": HeadersDict(headers), "body": body}
    expected = PARSER.parse(given_response, None)["Error"]
    actual = json_error(Response(status, headers, body))
    return (expected["Code"], expected["Message"]), (actual.code, actual.message)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({TYPE: "Header"}, b'{"code":"code","Code":"Code","__type":"type","message":"m"}'),
        ({}, b'{"code":"code","Code":"Code","__type":"type","message":"m"}'),
        ({}, b'{"Code":"Code","__type":"type","Message":"m"}'),
        ({}, b'{"__type":"type","message":"m","Message":"M"}'),
        ({}, b'{"message":"m"}'),
        ({}, b'{"errorMessage":"m","message":"other"}'),
        ({TYPE: "Code:http://internal/"}, b'{"message":"m"}'),
        ({TYPE: "namespace#Code"}, b'{"message":"m"}'),
        ({TYPE: "namespace#Code:http://internal/#x"}, b'{"message":"m"}'),
        ({}, b'{"__type":"a#b#Code:x:y","message":"m"}'),
        ({}, b'{"__type":"com.amazon#ValidationError","Message":"m"}'),
        ({TYPE: "Code"}, b"no JSON"),
        ({}, b"no JSON"),
        ({}, '{"message":"käse"}'.encode()),
    ],
    ids=lambda value: str(value)[:60],
)
@pytest.mark.parametrize("status", [400, 404, 500])
def test_code_and_message_as_botocore(status, headers, body):
    """The code and message of a JSON error are the same as in botocore."""
    expected, actual = both(status, headers, body)
    assert actual == expected


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param(b"[1]", "400", "[1]", id="a list"),
        pytest.param(b"null", "400", "null", id="null"),
        pytest.param(b'"text"', "400", '"text"', id="a string"),
        pytest.param(b"7", "400", "7", id="a number"),
        pytest.param(b"\xff\xfe", "400", "\ufffd\ufffd", id="invalid UTF-8"),
        pytest.param(b'{"__type":7,"message":"m"}', "400", "m", id="numeric type"),
        pytest.param(b'{"code":["x"],"__type":"Code"}', "Code", None, id="a list as code"),
        pytest.param(b'{"message":{"a":1},"Message":"M"}', "400", "M", id="an object as message"),
        pytest.param(b'{"message":null,"Message":"M"}', "400", "M", id="one null message"),
        pytest.param(b'{"__type":"Code","message":null}', "Code", None, id="null, with a code"),
        pytest.param(b'{"code":"","__type":"Code"}', "Code", None, id="an empty code"),
        pytest.param(b'{"code":"#:"}', "400", None, id="a code of marks alone"),
        pytest.param(b"", "400", None, id="empty"),
        pytest.param(b"{}", "400", None, id="empty object"),
        pytest.param(b"  \n", "400", None, id="blanks"),
    ],
)
def test_bodies_that_botocore_cannot_parse(body, code, message):
    """Even if botocore cannot parse a JSON error body, or a field has an unexpected type, the error
    has a code and a message.
    """
    error = json_error(Response(400, {}, body))
    assert type(error) is ServiceError
    assert error.code == code
    assert error.message == (message or "the service responded with status 400 and no message")


def test_deep_nesting():
    """If a JSON body is nested too deeply for the parser, its first 2048 characters become the
    error message.
    """
    error = json_error(Response(500, {}, b"[" * 100_000))
    assert (type(error), error.code) == (InternalFailureError, "500")
    assert len(error.message) == 2048


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amzn-RequestId": "1"}, "1"),
        ({"x-amz-request-id": "2"}, "2"),
        ({"x-amz-request-id": "2", "x-amzn-requestid": "1"}, "1"),
        ({}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("parse", [json_error, xml_error])
def test_request_id(parse, headers, expected):
    """The error contains the request ID from the headers even if a 5xx response has an HTML body,
    in which case botocore returns no request ID.
    """
    assert parse(Response(502, headers, b"<html>Bad Gateway</html>")).request_id == expected


KINDS = [
    (400, "ValidationError", RequestValidationError),
    (400, "ValidationException", RequestValidationError),
    (400, "ThrottlingException", ThrottlingError),
    (400, "Throttling", ThrottlingError),
    (503, "SlowDown", ThrottlingError),
    (429, None, ThrottlingError),
    (429, "Anything", ThrottlingError),
    (500, "InternalFailure", InternalFailureError),
    (500, None, InternalFailureError),
    (503, "ServiceUnavailable", ServiceUnavailableError),
    (503, None, ServiceUnavailableError),
    (403, "AccessDeniedException", AccessDeniedError),
    (400, "ExpiredTokenException", AccessDeniedError),
    (400, "UnrecognizedClientException", AccessDeniedError),
    (403, "SignatureDoesNotMatch", AccessDeniedError),
    (403, None, AccessDeniedError),
    (401, None, AccessDeniedError),
    (404, "NoSuchKey", ObjectNotFoundError),
    (404, "NoSuchBucket", ObjectNotFoundError),
    (404, None, ServiceError),
    (424, "ModelError", ServiceError),
    (530, "InternalDependencyException", ServiceError),
    (400, "Unheard", ServiceError),
    (302, None, ServiceError),
]


@pytest.mark.parametrize(("status", "code", "kind"), KINDS)
def test_classes_of_json_errors(status, code, kind):
    """The class of a JSON error depends on the error code or, if the code is missing or unknown, on
    the status.
    """
    error = json_error(Response(status, {TYPE: code} if code else {}, b""))
    assert (type(error), error.code, error.status_code) == (kind, code or str(status), status)


@pytest.mark.parametrize(("status", "code", "kind"), KINDS)
def test_classes_of_xml_errors(status, code, kind):
    """The class of an S3 error is determined in the same way as for JSON, but a 404 without an
    error code also results in an ObjectNotFoundError.
    """
    body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
    error = xml_error(Response(status, {}, body))
    kind = ObjectNotFoundError if status == 404 else kind
    assert (type(error), error.code, error.status_code) == (kind, code or str(status), status)


@pytest.mark.parametrize(
    ("status", "code", "retryable", "ambiguous"),
    [
        (400, "ValidationError", False, False),
        (400, "ThrottlingException", True, False),
        (400, "RequestTimeout", True, False),
        (429, None, True, False),
        (403, None, False, False),
        (500, None, True, True),
        (500, "Unheard", True, True),
        (502, None, True, True),
        (503, None, True, False),
        (504, None, True, True),
        (530, None, False, False),
        (424, "ModelError", False, False),
    ],
)
def test_retryable_and_possibly_accepted(status, code, retryable, ambiguous):
    """The attributes of an error state whether a retry may succeed, and whether the service may
    have accepted the request.
    """
    error = json_error(Response(status, {TYPE: code} if code else {}, b""))
    assert (error.retryable, error.possibly_accepted) == (retryable, ambiguous)


@pytest.mark.parametrize(
    ("status", "headers", "body", "throttled"),
    [
        (400, {}, b'{"message":null}', True),
        (400, {}, b'{"Message":null}', True),
        (400, {}, b'{"message":null,"Message":null}', True),
        (400, {}, b"{}", False),
        (400, {}, b"null", False),
        (400, {}, b'{"message":""}', False),
        (400, {}, b'{"message":null,"Message":"M"}', False),
        (400, {TYPE: "ValidationError"}, b'{"message":null}', False),
        (404, {}, b'{"message":null}', False),
    ],
)
def test_null_message(status, headers, body, throttled):
    """A 400 response with a null message and no code becomes a ThrottlingError, because SageMaker
    sends such responses under load.
    """
    error = json_error(Response(status, headers, body))
    assert isinstance(error, ThrottlingError) is throttled
    assert (error.code == "ThrottlingException") is throttled


def test_canonical_string_is_removed():
    """The canonical string, which may contain the session token, is removed from the error message."""
    message = (
        "The request signature we calculated does not match.\n\n"
        "The Canonical String for this request should have been\n'POST\nx-amz-security-token:TOKEN'"
    )
    body = json.dumps({"message": message}).encode()
    error = json_error(Response(403, {TYPE: "InvalidSignatureException"}, body))
    assert error.message == "The request signature we calculated does not match."


@pytest.mark.parametrize("parse", [json_error, xml_error])
def test_message_is_truncated(parse):
    """An error message is truncated to 2048 characters, its maximum length in the service model."""
    bodies = {
        json_error: b"x" * 10_000,
        xml_error: b"<E><Message>" + b"x" * 10_000 + b"</Message></E>",
    }
    assert parse(Response(400, {}, bodies[parse])).message == "x" * 2048


@pytest.mark.parametrize(("length", "expected"), [(128, "x" * 128), (129, "400")])
def test_long_code(length, expected):
    """A text of more than 128 characters is not an error code, so the status takes its place."""
    body = b'{"message": "m", "code": "%s"}' % (b"x" * length)
    assert json_error(Response(400, {}, body)).code == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1500", 1.5),
        ("0", 0.0),
        ("999999999", 999_999.999),
        ("9999999999", None),
        ("-1", None),
        ("1.5", None),
        ("invalid", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after(value, expected):
    """The `x-amz-retry-after` header is read as milliseconds, and ignored if it is not a whole
    number of at most nine digits.
    """
    assert json_error(Response(503, {"x-amz-retry-after": value}, b"")).retry_after == expected


def test_plain_retry_after():
    """The standard `Retry-After` header is ignored, as in botocore."""
    assert json_error(Response(503, {"retry-after": "7"}, b"")).retry_after is None


def test_date():
    """The service's time is read from the Date header, unless an Age header shows that the response
    comes from a cache.
    """
    date = {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}
    assert json_error(Response(403, date, b"")).date == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert json_error(Response(403, {**date, "age": "0"}, b"")).date is None


S3_ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>PermanentRedirect</Code>'
    b"<Message>The bucket is &lt;elsewhere&gt; \xc3\xa4</Message><Region>eu-west-1</Region>"
    b"<Nested><Code>Inner</Code></Nested><RequestId>R</RequestId></Error>"
)


def test_xml():
    """The code, message and region of an XML error are read from the children of the root element."""
    error = xml_error(Response(301, {}, S3_ERROR))
    assert error.code == "PermanentRedirect"
    assert error.message == "The bucket is <elsewhere> ä"
    assert error.region == "eu-west-1"


def test_region_in_a_header():
    """The region in the header takes precedence over the region in the body.

    A response without a body, such as a response to HEAD, can contain the region only in the
    header.
    """
    header = {"x-amz-bucket-region": "eu-north-1"}
    assert xml_error(Response(301, header, S3_ERROR)).region == "eu-north-1"
    assert xml_error(Response(301, header, b"")).region == "eu-north-1"
    assert xml_error(Response(301, {}, b"")).region is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"<E><A>1</A><B>2</B></E>", {"A": "1", "B": "2"}, id="fields"),
        pytest.param(b"<E><A>1<X>9</X>2</A></E>", {"A": "12"}, id="nested text is left out"),
        pytest.param(b"<E><A>1</A><A>2</A></E>", {"A": "12"}, id="repeated"),
        pytest.param(b"<E><A><![CDATA[<&]]></A></E>", {"A": "<&"}, id="CDATA"),
        pytest.param(b"<E>text</E>", {}, id="text in the root"),
        pytest.param(b"<E/>", {}, id="empty root"),
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"<E><A>1</A>", {}, id="broken off"),
        pytest.param(b"<E><A>1</B></E>", {}, id="ill-formed"),
        pytest.param(b"{}", {}, id="JSON"),
        pytest.param(b"\x00\xff", {}, id="bytes"),
        pytest.param(b"<E><A>\xff</A></E>", {}, id="invalid UTF-8"),
        pytest.param(b"<!DOCTYPE E><E><A>1</A></E>", {}, id="document type"),
        pytest.param(
            b'<!DOCTYPE E [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><E><A>&b;</A></E>',
            {},
            id="entities",
        ),
        pytest.param(
            b'<!DOCTYPE E [<!ENTITY a SYSTEM "file:///etc/passwd">]><E><A>&a;</A></E>',
            {},
            id="external entity",
        ),
        pytest.param(b'<?xml version="1.0" encoding="foo"?><E/>', {}, id="unknown encoding"),
        pytest.param(b'<?xml version="1.0" encoding="hex"?><E/>', {}, id="encoding of no text"),
        pytest.param(b'<?xml version="1.0" encoding="utf-7"?><E/>', {}, id="odd encoding"),
        pytest.param(b'<?xml version="1.0" encoding="idna"?><E/>', {}, id="odder encoding"),
        pytest.param(b"<a>" * 100_000, {}, id="nested deeply"),
        pytest.param(b"<a>" * 9999 + b"</a>" * 9999, {}, id="nested deeply and closed"),
    ],
)
def test_xml_fields(body, expected):
    """`xml_fields` returns the texts of the root's children, or an empty dictionary if the body is
    not well-formed XML, is nested too deeply, has a document type declaration, or has an
    unsupported encoding.
    """
    assert xml_fields(body) == expected


def test_xml_texts():
    """`xml_texts` returns the texts of elements, keyed by the element's path below the root.

    It covers three levels, because the fields of STS responses are at most that deep.
    """
    body = b"<A><B> <C><D>1</D><D>2</D><E><F>no</F></E></C></B><C>3</C>4</A>"
    assert xml_texts(body) == {"B": " ", "B/C/D": "12", "C": "3"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
            b"<Type>Sender</Type><Code>ExpiredToken</Code><Message>It has &lt;expired&gt;</Message>"
            b"</Error><RequestId>R</RequestId></ErrorResponse>",
            id="STS",
        ),
        pytest.param(
            b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
            id="no message",
        ),
    ],
)
def test_query_error_as_botocore(body):
    """The code and message of a query-protocol error are the same as in botocore."""
    given_response = {"status_code": 400, "headers": HeadersDict({}), "body": body}
    expected = create_parser("query").parse(given_response, None)["Error"]
    actual = query_error(Response(400, {}, body))
    assert actual.code == expected["Code"]
    assert actual.message == expected.get(
        "Message", "the service responded with status 400 and no message"
    )


_headers = st.dictionaries(
    st.sampled_from([TYPE, "date", "age", "x-amz-retry-after", "x-amz-bucket-region"]), st.text()
)
_json = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["message", "Message", "code", "Code", "__type"]), inner)
    ),
).map(lambda document: json.dumps(document).encode())
_xml = st.lists(
    st.sampled_from(
        [b"<Error>", b"</Error>", b"<Code>", b"</Code>", b"x", b"&lt;", b"&x;", b"<!DOCTYPE E>"]
        + [b'<?xml version="1.0" encoding="%s"?>' % name for name in (b"utf-16", b"cp037", b"?")]
    )
).map(b"".join)


@pytest.mark.parametrize("parse", [json_error, query_error, xml_error])
@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.integers(100, 599), _headers, st.binary() | _json | _xml)
def test_any_body(parse, status, headers, body):
    """Any status, headers and body result in an error that has a code and a message of at most 2048
    characters.
    """
    error = parse(Response(status, headers, body))
    assert isinstance(error, ServiceError)
    assert error.code
    assert 0 < len(error.message) <= 2048
    assert str(error).startswith(error.message)
