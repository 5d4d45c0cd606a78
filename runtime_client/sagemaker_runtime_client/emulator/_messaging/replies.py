"""The responses of SQS and SNS, in the JSON protocol and in the query protocol.

Sources: service models sqs 2012-11-05 and sns 2010-03-31, and
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import json
from collections.abc import Mapping
from typing import Any

from .._reply import XML_HEADER, ErrorResponse, Reply, xml_elements
from .._target import Target
from .json_values import is_list, is_map

_NAMESPACES = {
    "sqs": "http://queue.amazonaws.com/doc/2012-11-05/",
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
}
# The error codes in the query protocol that differ from the names of the errors in the JSON
# protocol.
_SQS = "AWS.SimpleQueueService."
_QUERY_CODES = {
    "BatchEntryIdsNotDistinct": f"{_SQS}BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": f"{_SQS}BatchRequestTooLong",
    "EmptyBatchRequest": f"{_SQS}EmptyBatchRequest",
    "ExpiredTokenException": "ExpiredToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidBatchEntryId": f"{_SQS}InvalidBatchEntryId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MessageNotInflight": f"{_SQS}MessageNotInflight",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "QueueDoesNotExist": f"{_SQS}NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": f"{_SQS}TooManyEntriesInBatchRequest",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "UnsupportedOperation": f"{_SQS}UnsupportedOperation",
}
# The element names of lists and maps in the XML of SQS, which has no element around all items.  The
# entry of a map also contains the names of the elements for a key and its value.
_SQS_LISTS = {
    "Failed": "BatchResultErrorEntry",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
}
_SQS_MAPS = {"Attributes": "Attribute", "MessageAttributes": "MessageAttribute"}
_MAPS = frozenset({"Attributes", "MessageAttributes"})


def as_success(target: Target, result: Mapping[str, Any], request_id: str) -> Reply:
    """Return the response with the result of an operation.

    Args:
        target: The operation and its protocol.
        result: The output of the operation, keyed by the names in the service model.
        request_id: The ID of the request.
    """
    if target.protocol == "json":
        body = json.dumps(result).encode()
        return Reply(200, {"content-type": "application/x-amz-json-1.0"}, body)
    operation = target.operation
    content = "".join([_xml(target, name, value) for name, value in result.items()])
    if content or target.service == "sns":
        content = f"<{operation}Result>{content}</{operation}Result>"
    metadata = xml_elements({"RequestId": request_id})
    return _as_xml(
        f'<{operation}Response xmlns="{_NAMESPACES[target.service]}">{content}'
        f"<ResponseMetadata>{metadata}</ResponseMetadata></{operation}Response>"
    )


def as_error(target: Target, error: ErrorResponse, request_id: str) -> Reply:
    """Return an error response in the protocol of the request."""
    side = "Sender" if error.status < 500 else "Receiver"
    name = error.shown_code
    code = query_code(name)
    if target.protocol == "json":
        # SDKs report the code in this header, because programs that were written for the query
        # protocol compare it with the codes of that protocol.  See the trait awsQueryCompatible in
        # the service model.
        shown = {"x-amzn-query-error": f"{code};{side}"} if name else {}
        shown_type = {"__type": f"com.amazonaws.sqs#{name}"} if name else {}
        document = {**shown_type, "message": error.message, **error.details}
        return Reply(
            error.status,
            {"content-type": "application/x-amz-json-1.0", **shown, **error.headers},
            json.dumps(document).encode(),
            error.outcome,
        )
    elements = xml_elements({"Type": side, "Code": code, "Message": error.message or ""})
    return _as_xml(
        f'<ErrorResponse xmlns="{_NAMESPACES[target.service]}"><Error>{elements}</Error>'
        f"{xml_elements({'RequestId': request_id})}</ErrorResponse>",
        error,
    )


def query_code(name: str) -> str:
    """Return the code of an error in the query protocol.

    >>> query_code("QueueDoesNotExist")
    'AWS.SimpleQueueService.NonExistentQueue'
    """
    return _QUERY_CODES.get(name, name)


def _as_xml(document: str, error: ErrorResponse | None = None) -> Reply:
    headers = {"content-type": "text/xml"}
    body = f"{XML_HEADER}{document}".encode()
    if error is None:
        return Reply(200, headers, body)
    return Reply(error.status, {**headers, **error.headers}, body, error.outcome)


def _xml(target: Target, name: str, value: Any) -> str:
    """Return the XML for a member of the output."""
    if isinstance(value, bool):
        return xml_elements({name: str(value).lower()})
    if is_list(value):
        return _xml_list(target, name, value)
    if is_map(value) and name in _MAPS:
        return _xml_map(target, name, value)
    if is_map(value):
        content = "".join([_xml(target, *member) for member in value.items()])
        return f"<{name}>{content}</{name}>"
    return xml_elements({name: str(value)})


def _xml_list(target: Target, name: str, items: list[Any]) -> str:
    if target.service == "sns":
        content = "".join([_xml(target, "member", item) for item in items])
        return f"<{name}>{content}</{name}>"
    item_name = _SQS_LISTS.get(name, f"{target.operation}ResultEntry")
    return "".join([_xml(target, item_name, item) for item in items])


def _xml_map(target: Target, name: str, entries: dict[str, Any]) -> str:
    key, value = ("key", "value") if target.service == "sns" else ("Name", "Value")
    item_name = "entry" if target.service == "sns" else _SQS_MAPS[name]
    content = "".join(
        [
            f"<{item_name}>{xml_elements({key: entry})}{_xml(target, value, entries[entry])}"
            f"</{item_name}>"
            for entry in entries
        ]
    )
    return f"<{name}>{content}</{name}>" if target.service == "sns" else content
