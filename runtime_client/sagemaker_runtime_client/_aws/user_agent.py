"""Request headers that identify the client and the Lambda invocation in which it runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from string import ascii_letters, digits

from .._version import __version__

_CHARACTERS = frozenset(ascii_letters + digits + "!$%&'*+-.^_`|~,")


def user_agent(retry_mode: str, app_id: str | None, environ: Mapping[str, str]) -> str:
    """Return the value of the User-Agent header, in botocore's format and character set.

    Source: botocore 1.44, useragent.py.
    """
    parts = [
        f"sagemaker-runtime-client/{__version__}",
        "ua/2.1",
        f"os/{_clean(sys.platform)}",
        f"lang/python#{'.'.join(map(str, sys.version_info[:3]))}",
        f"md/pyimpl#{_clean(sys.implementation.name)}",
        f"cfg/retry-mode#{retry_mode}",
    ]
    if environment := environ.get("AWS_EXECUTION_ENV"):
        parts.append(f"exec-env/{_clean(environment)}")
    if app_id:
        parts.append(f"app/{_clean(app_id)}")
    return " ".join(parts)


def is_in_lambda(environ: Mapping[str, str]) -> bool:
    """Return whether this process runs in AWS Lambda."""
    return bool(environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def trace_headers(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the trace header by which Lambda detects functions that call themselves in a loop.

    The list is empty if this process does not run in Lambda or there is no trace id.

    Source: botocore 1.44, handlers.py, add_recursion_detection_header.
    """
    trace_id = environ.get("_X_AMZN_TRACE_ID")
    if not trace_id or not is_in_lambda(environ):
        return []
    from urllib.parse import quote

    return [("x-amzn-trace-id", quote(trace_id, safe="-=;:+&[]{}\"',"))]


def _clean(text: str) -> str:
    """Replace each character that a User-Agent part cannot contain with a hyphen."""
    return "".join(character if character in _CHARACTERS else "-" for character in text)
