"""
What the service refuses before it takes an invocation: limits and patterns, as a table.

Source: service model sagemaker-runtime 2017-05-13, InvokeEndpointAsync.
"""

import re
from collections.abc import Mapping

from attrs import frozen

from ._reply import refused

LARGEST_BODY = 128_000
_HEADER = "x-amzn-sagemaker-"


@frozen
class _Text:
    """A member that is a text: how long it is, and of what form."""

    member: str
    header: str
    shortest: int
    longest: int
    pattern: str
    sensitive: bool = False

    def faults(self, value: str) -> list[str]:
        """Return the constraints that a value breaks."""
        found: list[str] = []
        if len(value) > self.longest:
            found.append(f"Member must have length less than or equal to {self.longest}")
        if len(value) < self.shortest:
            found.append(f"Member must have length greater than or equal to {self.shortest}")
        if not re.fullmatch(self.pattern, value, re.DOTALL):
            found.append(f"Member must satisfy regular expression pattern: {self.pattern}")
        return found


@frozen
class _Number:
    """A member that is a whole number in a range."""

    member: str
    header: str
    least: int
    most: int
    sensitive: bool = False

    def faults(self, value: str) -> list[str]:
        """Return the constraints that a value breaks."""
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            return ["Member must be an integer"]
        if int(value) < self.least:
            return [f"Member must have value greater than or equal to {self.least}"]
        if int(value) > self.most:
            return [f"Member must have value less than or equal to {self.most}"]
        return []


_ASCII = r"[\x00-\x7f]*"  # \p{ASCII}* in the model
_NAME = _Text("endpointName", "", 0, 63, r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_MEMBERS = (
    _Text("contentType", "content-type", 0, 1024, _ASCII),
    _Text("accept", "accept", 0, 1024, _ASCII),
    _Text("customAttributes", "custom-attributes", 0, 1024, _ASCII, sensitive=True),
    _Text("inferenceId", "inference-id", 1, 64, r"\S[\x20-\x7e]*"),  # \A\S[\p{Print}]*\z
    _Text("inputLocation", "inputlocation", 1, 1024, r"(https|s3)://([^/]+)/?(.*)"),
    _Text(
        "s3OutputPathExtension",
        "s3outputpathextension",
        1,
        512,
        r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+",
    ),
    _Text("filename", "filename", 1, 32, r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9_.-]*"),
    _Number("requestTTLSeconds", "requestttlseconds", 60, 21_600),
    _Number("invocationTimeoutSeconds", "invocationtimeoutseconds", 1, 3_600),
)


def validate(endpoint_name: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """
    Check an invocation, and return its members by the names of the model.

    Args:
        endpoint_name: From the path, decoded.
        headers: All headers of the request.
        body: The inline payload; empty for none.

    Raises:
        RefusedError: ``ValidationError``, with every constraint that is broken.
    """
    errors = [_sentence(_NAME, endpoint_name, fault) for fault in _NAME.faults(endpoint_name)]
    members: dict[str, str] = {}
    for rule in _MEMBERS:
        value = headers.get(_HEADER + rule.header)
        if value is not None:
            # Servers read headers as Latin-1; AWS SDKs write them in UTF-8.
            value = value.encode("latin-1").decode("utf-8", "replace")
            members[rule.member] = value
            errors += [_sentence(rule, value, fault) for fault in rule.faults(value)]
    if errors:
        noun = "error" if len(errors) == 1 else "errors"
        raise invalid(f"{len(errors)} validation {noun} detected: {'; '.join(errors)}")
    if len(body) > LARGEST_BODY:
        raise invalid(f"Body must have length less than or equal to {LARGEST_BODY} bytes.")
    if bool(body) == ("inputLocation" in members):
        raise invalid("Body and InputLocation are mutually exclusive. Provide exactly one of them.")
    return members


def invalid(message: str) -> Exception:
    """Return the service's refusal of an argument."""
    return refused(400, "ValidationError", message)


def _sentence(rule: _Text | _Number, value: str, fault: str) -> str:
    """Return one complaint in the service's words; a sensitive value is not repeated."""
    shown = "Value" if rule.sensitive else f"Value '{value}'"
    return f"{shown} at '{rule.member}' failed to satisfy constraint: {fault}"
