"""Checks the message attributes in a request, and selects those that a receiver has requested."""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from .._reply import RejectedRequestError, rejection
from .messages import MessageAttributes

_is_name = re.compile(r"(?!\.)(?!.*\.\.)(?!.*\.\Z)[A-Za-z0-9_.-]{1,256}", re.ASCII).fullmatch
_is_type = re.compile(r"(String|Number|Binary)(\..{1,256})?").fullmatch


def check_message_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> MessageAttributes:
    """Return the attributes, each with only its type and its value.

    Raises:
        RejectedRequestError: A name, type or value is invalid.
    """
    checked: dict[str, Mapping[str, str]] = {}
    for name, attribute in attributes.items():
        data_type = attribute.get("DataType")
        if not _is_name(name) or not isinstance(data_type, str) or not _is_type(data_type):
            raise _rejection("The name or the type of a message attribute is invalid.")
        member = "BinaryValue" if data_type.startswith("Binary") else "StringValue"
        value = attribute.get(member)
        if not isinstance(value, str) or not value or not _is_valid(member, value):
            raise _rejection(f"The message attribute '{name}' must contain a valid {member}.")
        checked[name] = {"DataType": data_type, member: value}
    return checked


def select_attributes(attributes: MessageAttributes, names: Sequence[str]) -> MessageAttributes:
    """Return the attributes that *names* select: names, prefixes like ``a.*``, or ``All``."""
    if {"All", ".*"} & set(names):
        return attributes
    prefixes = tuple(name.removesuffix("*") for name in names if name.endswith(".*"))
    return {
        name: value
        for name, value in attributes.items()
        if name in names or (prefixes and name.startswith(prefixes))
    }


def _is_valid(member: str, value: str) -> bool:
    """Return whether a value can be decoded."""
    if member == "StringValue":
        return True
    try:
        return bool(b64decode(value, validate=True))
    except ValueError:
        return False


def _rejection(message: str) -> RejectedRequestError:
    return rejection(400, "InvalidParameterValue", message)
