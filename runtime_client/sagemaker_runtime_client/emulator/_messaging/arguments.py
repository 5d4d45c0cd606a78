"""The arguments of requests to SQS and SNS, in the JSON protocol and in the query protocol.

Sources: service models sqs 2012-11-05 and sns 2010-03-31, and
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import field, frozen

from .._reply import RejectedRequestError, rejection
from .json_values import is_list, is_map, is_text

_MOST_PAIRS = 2000
_DEEPEST = 8
# In the query protocol, lists and maps of SQS have names that differ from those in its service
# model.  The entry of a map also contains the names of the fields for a key and its value.
_QUERY_LISTS = {
    "AttributeName": "AttributeNames",
    "MessageAttributeName": "MessageAttributeNames",
    "MessageSystemAttributeName": "MessageSystemAttributeNames",
    "SendMessageBatchRequestEntry": "Entries",
    "DeleteMessageBatchRequestEntry": "Entries",
    "ChangeMessageVisibilityBatchRequestEntry": "Entries",
}
_QUERY_MAPS = {
    "Attribute": "Attributes",
    "MessageAttribute": "MessageAttributes",
    "MessageSystemAttribute": "MessageSystemAttributes",
    "Tag": "tags",
}
_KEY_NAMES = (("Name", "Value"), ("key", "value"), ("Key", "Value"))


@frozen
class Arguments:
    """The arguments of a request, keyed by their names in the service model."""

    values: Mapping[str, Any] = field(repr=False)

    def text(self, name: str) -> str:
        """Return a string argument.

        Raises:
            RejectedRequestError: The argument is missing, empty or not a string.
        """
        value = self.optional_text(name)
        if not value:
            raise rejection(
                400, "MissingParameter", f"The request must contain the parameter {name}."
            )
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string argument; None if it is missing."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise _malformed(name)
        return value

    def number(self, name: str, minimum: int, maximum: int) -> int | None:
        """Return an integer argument; None if it is missing.

        Raises:
            RejectedRequestError: The argument is not an integer, or is too small or too large.
        """
        value = self.values.get(name)
        if value is None:
            return None
        try:
            number = int(value) if isinstance(value, int | str) else minimum - 1
        except ValueError:
            number = minimum - 1
        if isinstance(value, bool) or not minimum <= number <= maximum:
            raise rejection(
                400,
                "InvalidParameterValue",
                f"Value {value} for parameter {name} is invalid. Reason: Must be between {minimum} "
                f"and {maximum}, if provided.",
            )
        return number

    def texts(self, name: str) -> list[str]:
        """Return an argument that is a list of strings; an empty list if it is missing."""
        return self._list(name, is_text)

    def pairs(self, name: str) -> dict[str, str]:
        """Return an argument that is a map of strings; an empty map if it is missing."""
        return self._map(name, is_text)

    def structures(self, name: str) -> dict[str, dict[str, Any]]:
        """Return an argument that is a map of structures; an empty map if it is missing."""
        return self._map(name, is_map)

    def entries(self, name: str) -> "list[Arguments]":
        """Return an argument that is a list of structures; an empty list if it is missing."""
        return [Arguments(one) for one in self._list(name, is_map)]

    def _list(self, name: str, is_item: Callable[[object], bool]) -> list[Any]:
        value: Any = self.values.get(name) or []
        if not is_list(value) or not all(map(is_item, value)):
            raise _malformed(name)
        return value

    def _map(self, name: str, is_value: Callable[[object], bool]) -> dict[str, Any]:
        value: Any = self.values.get(name) or {}
        if not is_map(value) or not all(map(is_value, value.values())):
            raise _malformed(name)
        return value


def parse_json(body: bytes) -> Arguments:
    """Return the arguments of a request in the JSON protocol.

    Raises:
        RejectedRequestError: The body is not a JSON object.
    """
    try:
        values = json.loads(body or b"{}")
        json.dumps(values, ensure_ascii=False).encode()  # raises ValueError for a lone surrogate
    except (ValueError, RecursionError):
        values = None
    if not is_map(values):
        raise _malformed("body")
    return Arguments(values)


def parse_form(body: bytes) -> dict[str, str]:
    """Return a request's parameters in the query protocol, keyed by names like ``Entry.1.Id``.

    Raises:
        RejectedRequestError: The body is not a form, or has too many parameters.
    """
    try:
        return dict(
            parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_PAIRS,
            )
        )
    except ValueError:
        raise _malformed("body") from None


def parse_query(form: Mapping[str, str]) -> Arguments:
    """Return the arguments that the parameters of a request in the query protocol contain.

    Raises:
        RejectedRequestError: The parameters contradict each other, or are nested too deeply.
    """
    tree: dict[str, Any] = {}
    for name, value in form.items():
        *parents, last = name.split(".")
        node = tree
        for parent in parents[:_DEEPEST]:
            child = node.setdefault(parent, {})
            if not is_map(child):
                raise _malformed(name)
            node = child
        if last in node or len(parents) > _DEEPEST:
            raise _malformed(name)
        node[last] = value
    values: dict[str, Any] = {}
    for name, node in tree.items():
        value = _value(node)
        if name in _QUERY_MAPS:
            values[_QUERY_MAPS[name]] = _as_map(value)
        else:
            values[_QUERY_LISTS.get(name, name) if is_list(value) else name] = value
    return Arguments(values)


def _value(node: Any) -> Any:
    """Return a node of the tree of names as a string, list or dictionary.

    In requests to SNS, a list has the additional level ``member``, and a map ``entry``.
    """
    if not is_map(node):
        return node
    if node.keys() == {"member"}:
        return _value(node["member"])
    if node.keys() == {"entry"}:
        return _as_map(_value(node["entry"]))
    if all(name.isascii() and name.isdecimal() for name in node):
        return [_value(node[name]) for name in sorted(node, key=lambda name: (len(name), name))]
    values = {name: _value(child) for name, child in node.items()}
    return {
        _QUERY_MAPS.get(name, name): _as_map(value) if name in _QUERY_MAPS else value
        for name, value in values.items()
    }


def _as_map(entries: Any) -> dict[str, Any]:
    """Convert a list of entries, each of which has fields for a key and a value, to a map."""
    found: dict[str, Any] = {}
    for entry in entries if is_list(entries) else [entries]:
        for key, value in _KEY_NAMES:
            if is_map(entry) and entry.keys() == {key, value}:
                found[str(entry[key])] = entry[value]
    return found


def _malformed(name: str) -> RejectedRequestError:
    return rejection(400, "MalformedInput", f"The request is malformed at: {name}")
