"""The command-line tool: ``python -m sigv4 sign | presign | verify | explain``.

Within `sigv4`, only `_cli`, `httpx_auth` and `asgi` read a clock, and only `_cli` reads the
environment and files.  The tool sends no request, unless ``--profile`` selects a profile whose
credentials come from a service.  The credentials of a profile are loaded by
`sagemaker_runtime_client`, which belongs to the same distribution.  `sigv4` does not depend on that
package, so the package is imported dynamically, and only when it is needed.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from hashlib import file_digest
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from .._credentials import Credentials
from .._encoding import reencode_s3_path
from .._errors import (
    InvalidRequestError,
    SignatureError,
    SigV4Error,
    UnexplainedError,
    printable,
)
from .._explain import explain, mask_secrets
from .._limits import LONGEST_INPUT
from .._payload import Payload
from .._refusal import normalize_line_ends
from .._request import SignableRequest
from .._signer import Signature, Signer
from .._v4 import SigV4
from .._v4a import SigV4A
from .._verifying.verify import verify
from .curl import curl
from .options import STDIN, parser
from .raw_request import parse_request


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command-line arguments without the program's name; None means those in
            ``sys.argv``.

    Returns:
        The exit code, which `options.EPILOG` explains.
    """
    options = parser(sign=_sign, presign=_presign, verify=_verify, explain=_explain).parse_args(
        arguments
    )
    try:
        _write(sys.stdout, options.run(options))
    except SignatureError as refusal:
        _write(sys.stderr, str(refusal))
        if refusal.canonical_request is not None:
            lines = map(printable, mask_secrets(refusal.canonical_request).split("\n"))
            text = "\n".join(lines)
            _write(sys.stderr, f"\nThe canonical request should have been\n{text}")
        return 1
    except UnexplainedError as error:
        _write(sys.stderr, printable(f"sigv4: {error}"))
        return 1
    except BrokenPipeError:  # redirect stdout, because Python would write to the pipe again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (SigV4Error, OSError, ValueError) as error:
        _write(sys.stderr, printable(f"sigv4: {_name_option(str(error))}"))
        return 2
    return 0


# Maps each argument name of the library to the corresponding option or environment variable.
_OPTIONS = {
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "expires": "--expires",
    "method": "--method",
    "region": "--region",
    "region_set": "--region",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "service": "--service",
    "session_token": "AWS_SESSION_TOKEN",
}


def _name_option(message: str) -> str:
    """Replace an argument name at the start of *message* by its option or environment variable."""
    argument, must, rest = message.partition(" must ")
    return _OPTIONS.get(argument, argument) + must + rest


# The commands.  Each function returns the text to print.


def _sign(options: argparse.Namespace) -> str:
    signer = _signer(options)
    request = _request(options, s3=signer.s3)
    signature = signer.sign(request, _credentials(options), at=_date(options))
    added = dict(signature.headers)
    if options.unsigned_payload:
        added.setdefault("x-amz-content-sha256", Payload.UNSIGNED.hash)
    texts = {
        "headers": "\n".join([f"{name}: {value}" for name, value in added.items()]),
        "canonical-request": signature.canonical_request,
        "string-to-sign": signature.string_to_sign,
    }
    if options.show != "curl":
        return texts[options.show]
    kept = [pair for pair in _explicit_headers(request) if pair[0] not in added]
    return curl(request.method, request.url, [*kept, *added.items()], _data_for_curl(options))


def _presign(options: argparse.Namespace) -> str:
    signer = _signer(options)
    request = _request(options, s3=signer.s3)
    url = signer.presign(request, _credentials(options), at=_date(options), expires=options.expires)
    if options.show != "curl":
        return url
    return curl(request.method, url, _explicit_headers(request), _data_for_curl(options))


def _verify(options: argparse.Namespace) -> str:
    credentials = _credentials(options)
    verified = verify(
        parse_request(_read(options.file), scheme=options.scheme),
        {credentials.access_key_id: credentials},
        at=_date(options),
        service=options.service,
        region=_region(options),
    )
    return "\n".join(
        [
            f"access key id: {verified.access_key_id}",
            f"signed at: {verified.signed_at:%Y%m%dT%H%M%SZ}",
            *([f"ends at: {verified.expires_at:%Y%m%dT%H%M%SZ}"] if verified.expires_at else []),
            f"signed headers: {';'.join(verified.signed_headers)}",
            f"payload: {verified.payload_hash}",
        ]
    )


def _explain(options: argparse.Namespace) -> str:
    names = [options.answer, options.canonical_request, options.string_to_sign]
    _read_once(names, STDIN)
    answer, canonical_request = _read(options.answer), _text(_read(options.canonical_request))
    if options.string_to_sign is None:
        return str(explain(answer, canonical_request))
    string_to_sign = _text(_read(options.string_to_sign))
    return str(explain(answer, Signature({}, "", (), canonical_request, string_to_sign)))


# The helper functions that the commands call.


def _credentials(options: argparse.Namespace) -> Credentials:
    if options.profile is not None:
        return _load_profile_credentials(options.profile)
    missing = [
        name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)
    ]
    if missing:
        raise InvalidRequestError(f"no credentials: set {' and '.join(missing)}, or use --profile")
    return Credentials(
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ.get("AWS_SESSION_TOKEN") or None,
    )


def _load_profile_credentials(name: str) -> Credentials:
    """Return the credentials of a profile in AWS's shared configuration files."""
    try:
        client: Any = import_module("sagemaker_runtime_client")
        prompts: Any = import_module("sagemaker_runtime_client._cli.prompts")
    except ImportError as error:
        raise InvalidRequestError(
            "--profile requires the package sagemaker_runtime_client: "
            f"pip install sagemaker-runtime-client (the import failed: {error})"
        ) from error
    with client.default_chain(profile=name, mfa_token=prompts.mfa_token) as chain:
        try:
            credentials: Credentials = chain.get()
        except client.RuntimeClientError as error:
            raise InvalidRequestError(str(error)) from error
    return credentials


def _region(options: argparse.Namespace) -> str:
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    region = options.region or next(filter(None, map(os.environ.get, names)), None)
    if region is None:
        raise InvalidRequestError("no region: use --region, or set AWS_REGION")
    return str(region)


def _date(options: argparse.Namespace) -> datetime:
    return options.date or datetime.now(UTC)


def _signer(options: argparse.Namespace) -> Signer:
    region = _region(options)
    algorithm = SigV4A if options.v4a else SigV4
    return Signer(algorithm(options.service, region))


def _request(options: argparse.Namespace, *, s3: bool) -> SignableRequest:
    """Return the request that the options describe; if *s3* is set, encode its path as S3 does."""
    _read_once([*options.header, options.data], "@" + STDIN)
    headers = [pair for text in options.header for pair in _headers(text)]
    method = options.method or ("GET" if options.data is None else "POST")
    payload = Payload.UNSIGNED if options.unsigned_payload else _payload(options.data)
    if options.unsigned_payload:
        headers.append(("x-amz-content-sha256", payload.hash))
    request = SignableRequest(method, options.url, headers, payload)
    path = reencode_s3_path(request.path) if s3 else request.path
    if path == request.path:
        return request
    before, mark, query = options.url.partition("?")
    url = before.removesuffix(request.path) + path + mark + query
    return SignableRequest(method, url, headers, payload)


def _headers(text: str) -> list[tuple[str, str]]:
    """Return the headers in one ``--header`` option: a single header, or all headers in a file."""
    lines = _text(_read(text[1:])).split("\n") if text.startswith("@") else [text]
    pairs = [line.partition(":") for line in lines if line]
    if not all(colon for _, colon, _ in pairs):
        raise InvalidRequestError("--header: each header must have the form NAME:VALUE")
    return [(name, value.strip(" \t")) for name, _, value in pairs]


def _explicit_headers(request: SignableRequest) -> list[tuple[str, str]]:
    """Return the headers of a request, without a host header that equals the host of the URL."""
    implied = SignableRequest(request.method, request.url).host
    return [pair for pair in request.headers if pair != ("host", implied)]


def _payload(data: str | None) -> Payload:
    """Return the payload hash of the data in the ``--data`` option; a file is hashed in pieces."""
    if data is None or not data.startswith("@"):
        return Payload.of((data or "").encode("utf-8", "surrogateescape"))
    with _open(data[1:]) as stream:
        return Payload.hashed(file_digest(stream, "sha256").hexdigest())


def _data_for_curl(options: argparse.Namespace) -> str | None:
    if options.data == "@" + STDIN:
        raise InvalidRequestError(
            "--curl cannot be used with --data @-, because curl reads its options from stdin: "
            "use --data @FILE"
        )
    return None if options.data is None else str(options.data)


def _read_once(names: Sequence[str | None], stdin: str) -> None:
    if names.count(stdin) > 1:
        raise InvalidRequestError("only one argument can read stdin (-)")


def _open(name: str) -> AbstractContextManager[Any]:
    return nullcontext(sys.stdin.buffer) if name == STDIN else Path(name).open("rb")


def _read(name: str) -> bytes:
    with _open(name) as stream:
        content: bytes = stream.read(LONGEST_INPUT + 1)
    if len(content) > LONGEST_INPUT:
        raise InvalidRequestError(
            f"{'stdin' if name == STDIN else name} is longer than {LONGEST_INPUT} bytes"
        )
    return content


def _text(content: bytes) -> str:
    """Decode *content*, convert its line ends to LF, and remove trailing line ends."""
    return normalize_line_ends(content.decode("utf-8", "surrogateescape")).rstrip("\n")


def _write(stream: TextIO, text: str) -> None:
    """Write *text* and a line end; surrogates are written as the bytes that they represent."""
    stream.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    stream.flush()
