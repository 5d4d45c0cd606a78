"""Test `explain` with texts that quote a response: logs, exceptions, and texts with CRLF."""

import json
from datetime import UTC, datetime

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from sigv4 import (
    Credentials,
    Difference,
    SignableRequest,
    Signer,
    SigV4,
    UnexplainedError,
    explain,
)
from sigv4._limits import LONGEST_ERROR_RESPONSE

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
ADDED = Difference(
    "header x-amz-meta-a", "it's mine", '"yours" \\ é', "it was changed after signing"
)


def signed(value, region="us-east-1"):
    """Return the signature of a request whose header x-amz-meta-a has *value*."""
    request = SignableRequest("GET", "https://h.example/a?b='c'", {"x-amz-meta-a": value})
    return Signer(SigV4("execute-api", region)).sign(request, KEY, at=AT)


OURS = signed(ADDED.ours)
THEIRS = signed(ADDED.theirs, "eu-west-1")
MESSAGE = (
    "The request signature we calculated does not match the signature you provided.\n\n"
    f"The Canonical String for this request should have been\n'{THEIRS.canonical_request}'\n\n"
    f"The String-to-Sign should have been\n'{THEIRS.string_to_sign}'\n"
)
JSON = json.dumps({"__type": "a#InvalidSignatureException", "message": MESSAGE})
XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code>'
    f"<Message>no</Message><StringToSign>{THEIRS.string_to_sign}</StringToSign>"
    f"<CanonicalRequest>{THEIRS.canonical_request}</CanonicalRequest><HostId>B</HostId></Error>"
)
STS = (
    "<ErrorResponse>\n  <Error>\n<Type>Sender</Type>\n<Code>SignatureDoesNotMatch</Code>\n"
    f"<Message>{MESSAGE}</Message>\n</Error>\n<RequestId>A</RequestId>\n</ErrorResponse>"
)


def client_error(protocol, service, operation, body):
    """Return the exception that botocore raises for a response."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    response = {"status_code": 403, "headers": {}, "body": body.encode()}
    parsed = create_parser(protocol).parse(response, model.output_shape)
    return ClientError(parsed, operation)


def escaped(text, times):
    """Escape a string as in JSON, the given number of times."""
    for _ in range(times):
        text = json.dumps(text)
    return text


INVOKE = client_error("rest-json", "sagemaker-runtime", "InvokeEndpointAsync", JSON)
GET_OBJECT = client_error("rest-xml", "s3", "GetObject", XML)
LINE = "2026-11-22 12:00:00,000 ERROR app it's this: "
GONE_ON = "\n2026-11-22 12:00:01,000 INFO app 'other' \"things\" <a>\n"
TEXTS = {
    "body, JSON": JSON,
    "body, XML": XML,
    "text with a byte order mark": "\ufeff" + XML,
    "bytes with a byte order mark": b"\xef\xbb\xbf" + XML.encode(),
    "spaces around it": f"\n\n {JSON}\n",
    "CRLF, XML": XML.replace("\n", "\r\n"),
    "CRLF, JSON": json.dumps(
        {"code": "SignatureDoesNotMatch", "m": 1, "message": MESSAGE.replace("\n", "\r\n")}
    ),
    "ClientError": INVOKE,
    "ClientError of S3": GET_OBJECT,
    "another exception": RuntimeError(f"SignatureDoesNotMatch: {MESSAGE}"),
    "its text": str(INVOKE),
    "its repr": repr(INVOKE),
    "a traceback": f"Traceback (most recent call last):\n  File 'a'\nClientError: {INVOKE}",
    "log": LINE + str(INVOKE) + GONE_ON,
    "log of bytes": (LINE + str(INVOKE) + GONE_ON).encode(),
    "log, CRLF": (LINE + str(INVOKE) + GONE_ON).replace("\n", "\r\n"),
    "log of a repr": LINE + repr(INVOKE) + GONE_ON,
    "log of a body": f"{LINE}Response body:\n{JSON}{GONE_ON}",
    "log of the bytes of a body": f"{LINE}Response body:\n{JSON.encode()}{GONE_ON}",
    "log of S3's body": f"{LINE}Response body:\n{XML}{GONE_ON}",
    "log of STS's body": f"{LINE}Response body:\n{STS}{GONE_ON}",
    "log in JSON": json.dumps({"level": "ERROR", "msg": str(INVOKE), "n": 1}),
    "log of JSON in JSON": LINE + escaped(str(INVOKE), 3) + GONE_ON,
    "log in JSON of a body": json.dumps({"level": "ERROR", "msg": f"answer: {JSON}"}),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_that_contain_the_response(text):
    """The explanation is the same for a text that quotes the response as for the response itself."""
    explanation = explain(text, OURS)
    assert explanation.differences == (ADDED,)
    assert explanation.string_to_sign == THEIRS.string_to_sign
    assert explanation.code in {"SignatureDoesNotMatch", "InvalidSignatureException"}
    assert "to-ken" not in str(explanation)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_difference_where_there_is_none(text):
    """If both sides signed the same strings, `explain` reports no difference for any text."""
    equal = explain(text, THEIRS)
    assert (equal.cause, equal.differences) == ("key", ())
    for ours in (THEIRS.canonical_request, THEIRS.canonical_request.replace("\n", "\r\n") + "\r\n"):
        alone = explain(text, ours)
        assert (alone.cause, alone.differences) == ("unknown", ())


def test_without_a_string_to_sign():
    """If a text has no string to sign, the text after the canonical request is ignored."""
    text = LINE + MESSAGE.partition("\n\nThe String-to-Sign")[0] + GONE_ON
    explanation = explain(text, OURS)
    assert (explanation.differences, explanation.string_to_sign) == ((ADDED,), None)


@pytest.mark.parametrize("path", ["/\ud800", "/%7e\udfff"])
def test_a_lone_surrogate(path):
    """A path with a lone surrogate is reported like any other difference."""
    theirs = THEIRS.canonical_request.replace("/a", path)
    told = f"The Canonical String for this request should have been\n'{theirs}'\n"
    [difference] = explain(json.dumps({"message": told}), THEIRS.canonical_request).differences
    assert (difference.part, difference.theirs) == ("path", path)


SILENT = {
    "log of JSON too deep": LINE + escaped(str(INVOKE), 6),
    "log": LINE + GONE_ON,
    "log of another error": f"{LINE}<Error><Code>AccessDenied</Code></Error>{GONE_ON}",
    "log of cut XML": f"{LINE}<Error><CanonicalRequest>GET",
    "ClientError of another kind": ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"),
    "ClientError without an error": ClientError({}, "GetObject"),
    "ClientError of no text": ClientError({"Error": {"CanonicalRequest": 7}}, "GetObject"),
    "ClientError too long": ClientError(
        {"Error": {"CanonicalRequest": "a" * (LONGEST_ERROR_RESPONSE + 1)}}, "GetObject"
    ),
    "exception": ValueError("no"),
    "exception too long": ValueError("a" * (LONGEST_ERROR_RESPONSE + 1)),
    "backslashes": "The Canonical String for this request should have been" + "\\" * 1001,
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_texts_without_a_canonical_request(text):
    """The error for a text without a canonical request does not quote the text."""
    with pytest.raises(UnexplainedError) as refusal:
        explain(text, OURS)
    assert len(str(refusal.value)) < 80
