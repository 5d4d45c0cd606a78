"""The limits and patterns that the service checks before it accepts an invocation.

Source: service model sagemaker-runtime 2017-05-13, InvokeEndpointAsync.
"""

import re
from collections.abc import Mapping

from attrs import frozen

from ._reply import rejection

MAX_BODY_SIZE = 128_000
_HEADER = "x-amzn-sagemaker-"


@frozen
class _Text:
    """A string member of the request, with its length limits and its pattern."""

    member: str
    header: str
    min_length: int
    max_length: int
    pattern: str
    sensitive: bool = False

    def violations(self, value: str) -> list[str]:
        """Return a message for each constraint that *value* violates."""
        found: list[str] = []
        if len(value) > self.max_length:
            found.append(f"Member must have length less than or equal to {self.max_length}")
        if len(value) < self.min_length:
            found.append(f"Member must have length greater than or equal to {self.min_length}")
        if not re.fullmatch(self.pattern, value, re.DOTALL):
            found.append(f"Member must satisfy regular expression pattern: {self.pattern}")
        return found


@frozen
class _Number:
    """An integer member of the request, with its range."""

    member: str
    header: str
    minimum: int
    maximum: int
    sensitive: bool = False

    def violations(self, value: str) -> list[str]:
        """Return a message for each constraint that *value* violates."""
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            return ["Member must be an integer"]
        if int(value) < self.minimum:
            return [f"Member must have value greater than or equal to {self.minimum}"]
        if int(value) > self.maximum:
            return [f"Member must have value less than or equal to {self.maximum}"]
        return []


_ASCII = r"[\x00-\x7f]*"  # \p{ASCII}* in the service model
_ENDPOINT_NAME = _Text("endpointName", "", 0, 63, r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_MEMBERS = (
    _Text("contentType", "content-type", 0, 1024, _ASCII),
    _Text("accept", "accept", 0, 1024, _ASCII),
    _Text("customAttributes", "custom-attributes", 0, 1024, _ASCII, sensitive=True),
    _Text(
        "inferenceId", "inference-id", 1, 64, r"\S[\x20-\x7e]*"
    ),  # \A\S[\p{Print}]*\z in the service model
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
    """Check an invocation, and return its members by their names in the service model.

    Args:
        endpoint_name: The endpoint name from the path, decoded.
        headers: All headers of the request.
        body: The inline payload; empty if there is none.

    Raises:
        RejectedRequestError: The invocation is invalid: a ``ValidationError``, which lists every
            violated constraint of a member.
    """
    errors = [
        _violation_message(_ENDPOINT_NAME, endpoint_name, violation)
        for violation in _ENDPOINT_NAME.violations(endpoint_name)
    ]
    members: dict[str, str] = {}
    for rule in _MEMBERS:
        value = headers.get(_HEADER + rule.header)
        if value is not None:
            # The server decoded the headers as Latin-1, but AWS SDKs encode them in UTF-8.
            value = value.encode("latin-1").decode("utf-8", "replace")
            members[rule.member] = value
            errors += [
                _violation_message(rule, value, violation) for violation in rule.violations(value)
            ]
    if errors:
        noun = "error" if len(errors) == 1 else "errors"
        raise validation_error(f"{len(errors)} validation {noun} detected: {'; '.join(errors)}")
    if len(body) > MAX_BODY_SIZE:
        raise validation_error(
            f"Body must have length less than or equal to {MAX_BODY_SIZE} bytes."
        )
    if bool(body) == ("inputLocation" in members):
        raise validation_error(
            "Body and InputLocation are mutually exclusive. Provide exactly one of them."
        )
    return members


def validation_error(message: str) -> Exception:
    """Return the service's error for an invalid argument."""
    return rejection(400, "ValidationError", message)


def _violation_message(rule: _Text | _Number, value: str, violation: str) -> str:
    """Return the service's message for a violation, without the value if the member is sensitive."""
    shown = "Value" if rule.sensitive else f"Value '{value}'"
    return f"{shown} at '{rule.member}' failed to satisfy constraint: {violation}"
