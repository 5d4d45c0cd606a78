"""The limits and patterns that the service checks before it accepts an invocation.

Source: service models sagemaker-runtime 2017-05-13 and sagemaker-inference-router-runtime 2026-01-01.
"""

import re
from collections.abc import Mapping

from attrs import frozen

from ._reply import ErrorResponse, RejectedRequestError, rejection
from ._target import Target

MAX_BODY_SIZE = 128_000
MAX_SYNCHRONOUS_SIZE = 6_291_456
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
_PRINTABLE = r"\S[\x20-\x7e]*"  # \A\S[\p{Print}]*\z in the service model
_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_FILENAME = r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9_.-]*"
_ENDPOINT_NAME = _Text("endpointName", "", 0, 63, _NAME)
_ROUTER_NAME = _Text("inferenceRouterName", "", 1, 63, _NAME)
_TARGET_NAME = _Text("routingTargetName", _HEADER + "routing-target-name", 1, 63, _NAME)
_ATTRIBUTES = (
    _Text("customAttributes", _HEADER + "custom-attributes", 0, 1024, _ASCII, sensitive=True),
    _Text("inferenceId", _HEADER + "inference-id", 1, 64, _PRINTABLE),
)
_QUEUED = (
    _Text("contentType", _HEADER + "content-type", 0, 1024, _ASCII),
    _Text("accept", _HEADER + "accept", 0, 1024, _ASCII),
    *_ATTRIBUTES,
    _Text("inputLocation", _HEADER + "inputlocation", 1, 1024, r"(https|s3)://([^/]+)/?(.*)"),
    _Text(
        "s3OutputPathExtension",
        _HEADER + "s3outputpathextension",
        1,
        512,
        r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+",
    ),
    _Number("requestTTLSeconds", _HEADER + "requestttlseconds", 60, 21_600),
    _Number("invocationTimeoutSeconds", _HEADER + "invocationtimeoutseconds", 1, 3_600),
)
_CONTENT_TYPE = _Text("contentType", "content-type", 0, 1024, _ASCII)
_PREFIX_AWARE_ID = _Text("prefixAwareId", _HEADER + "prefix-aware-id", 1, 64, _PRINTABLE)
_SYNCHRONOUS = (
    _CONTENT_TYPE,
    _Text("accept", "accept", 0, 1024, _ASCII),
    *_ATTRIBUTES,
    _PREFIX_AWARE_ID,
)
_ENDPOINT_PARTS = (
    _Text("targetVariant", _HEADER + "target-variant", 0, 63, _NAME),
    _Text("targetContainerHostname", _HEADER + "target-container-hostname", 0, 63, _NAME),
    _Text("inferenceComponentName", _HEADER + "inference-component", 0, 63, _NAME),
)
_MEMBERS: Mapping[str, tuple[_Text | _Number, ...]] = {
    "InvokeEndpointAsync": (*_QUEUED, _Text("filename", _HEADER + "filename", 1, 32, _FILENAME)),
    "InvokeEndpoint": (
        *_SYNCHRONOUS,
        *_ENDPOINT_PARTS,
        _Text("targetModel", _HEADER + "target-model", 1, 1024, _PRINTABLE),
        _Text("enableExplanations", _HEADER + "enable-explanations", 1, 64, r".*"),
        _Text("sessionId", _HEADER + "session-id", 0, 256, f"NEW_SESSION|{_NAME}"),
    ),
    "InvokeEndpointWithResponseStream": (
        _CONTENT_TYPE,
        _Text("accept", _HEADER + "accept", 0, 1024, _ASCII),
        *_ATTRIBUTES,
        _PREFIX_AWARE_ID,
        *_ENDPOINT_PARTS,
        _Text("sessionId", _HEADER + "session-id", 0, 256, _NAME),
    ),
    "InvokeInferenceRouterAsync": (
        _TARGET_NAME,
        *_QUEUED,
        _Text("filename", _HEADER + "filename", 1, 64, _FILENAME),
    ),
    "InvokeInferenceRouter": (_TARGET_NAME, *_SYNCHRONOUS),
}


def validate(target: Target, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Check an invocation, and return its members, keyed by their names in the service model.

    Args:
        target: The operation, and the endpoint or the inference router.
        headers: All headers of the request.
        body: The inline payload; empty if there is none.

    Raises:
        RejectedRequestError: The invocation is invalid.  The error has status 413 if the payload of
            a synchronous invocation is too large.  Otherwise it is a validation error, which lists
            every violated constraint if members are invalid.
    """
    name = _ROUTER_NAME if target.is_routed else _ENDPOINT_NAME
    errors = [
        _violation_message(name, target.endpoint_name, violation)
        for violation in name.violations(target.endpoint_name)
    ]
    members: dict[str, str] = {}
    for rule in _MEMBERS[target.operation]:
        value = headers.get(rule.header)
        if value is not None:
            # The server decoded the headers as Latin-1, but AWS SDKs encode them in UTF-8.
            value = value.encode("latin-1").decode("utf-8", "replace")
            members[rule.member] = value
            errors += [
                _violation_message(rule, value, violation) for violation in rule.violations(value)
            ]
        elif rule is _TARGET_NAME:
            errors.append(
                f"Value null at '{rule.member}' failed to satisfy constraint: Member must not be null"
            )
    if errors:
        noun = "error" if len(errors) == 1 else "errors"
        message = f"{len(errors)} validation {noun} detected: {'; '.join(errors)}"
        raise validation_error(message, target)
    _check_payload(target, members, body)
    return members


def _check_payload(target: Target, members: Mapping[str, str], body: bytes) -> None:
    """Check the size of the payload and, for a queued invocation, that there is exactly one input."""
    if not target.is_queued:
        if len(body) > MAX_SYNCHRONOUS_SIZE:
            raise RejectedRequestError(ErrorResponse(413))
        return
    if target.is_routed:
        if body or "inputLocation" not in members:
            raise validation_error("InputLocation is required, and a body is not allowed.", target)
        return
    if len(body) > MAX_BODY_SIZE:
        raise validation_error(
            f"Body must have length less than or equal to {MAX_BODY_SIZE} bytes.", target
        )
    if bool(body) == ("inputLocation" in members):
        raise validation_error(
            "Body and InputLocation are mutually exclusive. Provide exactly one of them.", target
        )


def validation_error(message: str, target: Target) -> Exception:
    """Return the service's error for an invalid argument."""
    code = "ValidationException" if target.is_routed else "ValidationError"
    return rejection(400, code, message)


def _violation_message(rule: _Text | _Number, value: str, violation: str) -> str:
    """Return the service's message for a violation, without the value if the member is sensitive."""
    shown = "Value" if rule.sensitive else f"Value '{value}'"
    return f"{shown} at '{rule.member}' failed to satisfy constraint: {violation}"
