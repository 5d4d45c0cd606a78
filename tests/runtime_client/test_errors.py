"""Test the hierarchy of the error classes, the attributes of errors, and pickling."""

import copy
import inspect
import pickle
import re
from datetime import UTC, datetime

import pytest

import sagemaker_runtime_client
from sagemaker_runtime_client import (
    ConfigError,
    CredentialProviderError,
    InferenceFailedError,
    InternalStreamFailureError,
    Invocation,
    LocationNotAllowedError,
    ModelError,
    ModelNotReadyError,
    ModelStreamError,
    NoCredentialsError,
    ParamValidationError,
    PreconditionFailedError,
    ResponseStreamError,
    RuntimeClientError,
    ServiceError,
    SignatureError,
    SourceError,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)

TREE = """\
RuntimeClientError
├── ConfigError (ValueError)
├── ParamValidationError (ValueError)
│   └── LocationNotAllowedError
├── CredentialsError
│   ├── NoCredentialsError
│   └── CredentialProviderError
├── SourceError
├── TargetError
├── TransportError
│   ├── ChecksumError
│   ├── ResponseTooLargeError
│   └── ResponseStreamError
├── ServiceError
│   ├── ThrottlingError
│   │   └── ModelNotReadyError
│   ├── ServiceUnavailableError
│   ├── InternalFailureError
│   ├── RequestValidationError
│   ├── AccessDeniedError
│   ├── ObjectNotFoundError
│   ├── PreconditionFailedError
│   ├── ObjectReplacedError
│   ├── ModelError
│   ├── ModelStreamError
│   └── InternalStreamFailureError
├── NoOutputLocationError
├── InferenceFailedError
├── WaitTimeoutError
└── SignatureError
"""
INVOCATION = Invocation(inference_id="id", date=datetime(2026, 11, 22, tzinfo=UTC))


def _tree(kind, indent=""):
    """Return the tree of *kind* and its subclasses as lines."""
    others = [base.__name__ for base in kind.__bases__[1:]]
    lines = [kind.__name__ + (f" ({', '.join(others)})" if others else "")]
    # The errors that only `handlers` raises are public there.
    below = [kind for kind in kind.__subclasses__() if ".handlers." not in kind.__module__]
    # A subclass from another module is at the end of the list, whose order depends on the imports.
    below.sort(key=lambda kind: TREE.find(f"─ {kind.__name__}"))
    for below_kind in below:
        last = below_kind is below[-1]
        first, *rest = _tree(below_kind)
        lines.append(f"{'└' if last else '├'}── {first}")
        lines += [f"{' ' if last else '│'}   {line}" for line in rest]
    return [indent + line for line in lines]


KINDS = [
    kind
    for kind in vars(sagemaker_runtime_client._errors).values()
    if inspect.isclass(kind) and issubclass(kind, RuntimeClientError)
] + [
    LocationNotAllowedError,
    PreconditionFailedError,
    InternalStreamFailureError,
    ModelError,
    ModelNotReadyError,
    ModelStreamError,
    ResponseStreamError,
    SignatureError,
    SourceError,
]


def test_tree():
    """The error classes form the tree above, and the module's docstring shows the same tree."""
    assert "\n".join(_tree(RuntimeClientError)) + "\n" == TREE
    docstring = sagemaker_runtime_client._errors.__doc__
    drawn = [line[4:] for line in docstring.splitlines() if "── " in line]
    assert [re.split(r"(?<=[\w)])  +", line)[0] for line in drawn] == TREE.splitlines()[1:]


def test_all_are_public():
    """Each error class can be imported from the package."""
    public = {getattr(sagemaker_runtime_client, name) for name in sagemaker_runtime_client.__all__}
    assert set(KINDS) <= public


def _full(kind):
    """Return an error of class *kind* with values for all attributes."""
    special = {
        ParamValidationError: {"argument": "body"},
        NoCredentialsError: {"tried": ("environment",)},
        CredentialProviderError: {"provider": "environment"},
        InferenceFailedError: {"failure_location": "s3://b/k", "reason": "boom", "body": b"boom"},
        WaitTimeoutError: {"access_denied_only": True},
        SignatureError: {"check": "topic"},
        ConfigError: {},
    }
    general = {"code": "Code", "status_code": 400, "request_id": "R"}
    error = kind("message", **special.get(kind, {}))
    for name, value in general.items():
        setattr(error, name, value)
    error.attempts, error.possibly_accepted, error.invocation = 3, True, INVOCATION
    error.retryable = not kind.retryable
    if isinstance(error, ServiceError):
        error.retry_after, error.region = 1.5, "eu-west-1"
        error.date = datetime(2026, 11, 22, tzinfo=UTC)
    if isinstance(error, ModelError):
        error.original_status_code, error.original_message = 500, "boom"
        error.log_stream_arn = "arn:aws:logs:eu-west-1:000000000000:log-group:g"
    error.add_note("a note")
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy]
)
def test_travels(kind, copied):
    """A copied or pickled error keeps all its attributes."""
    error = _full(kind)
    twin = copied(error)
    assert type(error) is type(twin)
    assert vars(error) == vars(twin)
    assert (str(error), repr(error), error.args) == (str(twin), repr(twin), twin.args)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_defaults(kind):
    """Every new error has default values for all attributes of the base class."""
    error = kind()
    assert (error.code, error.status_code, error.request_id) == (None, None, None)
    assert (error.attempts, error.possibly_accepted, error.invocation) == (0, False, None)
    assert error.message == str(error) == ""
    assert isinstance(error.retryable, bool)


@pytest.mark.parametrize(
    ("facts", "attempts", "says"),
    [
        ({}, 0, "message"),
        ({}, 1, "message"),
        ({}, 3, "message (attempts 3)"),
        ({"code": "Code"}, 1, "message (code Code)"),
        (
            {"code": "Code", "status_code": 503, "request_id": "R"},
            2,
            "message (code Code, status 503, request id R, attempts 2)",
        ),
    ],
)
def test_text(facts, attempts, says):
    """The text of an error contains its message, and what is known about the response."""
    error = ServiceError("message", **facts)
    error.attempts = attempts
    assert str(error) == says


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_documented(kind):
    """Each error class has a docstring."""
    assert kind.__dict__.get("__doc__")


def test_retryable():
    """The error classes for calls that may succeed later are retryable."""
    retryable = {kind.__name__ for kind in KINDS if kind.retryable}
    assert retryable == {
        "ChecksumError",
        "InternalFailureError",
        "InternalStreamFailureError",
        "ModelNotReadyError",
        "ResponseStreamError",
        "ServiceUnavailableError",
        "ThrottlingError",
        "TransportError",
        "WaitTimeoutError",
    }


def test_catching():
    """Only errors about arguments and settings are ValueErrors, and a TransportError is not an
    OSError.
    """
    values = {ConfigError, ParamValidationError, LocationNotAllowedError}
    assert {kind for kind in KINDS if issubclass(kind, ValueError)} == values
    assert not issubclass(TransportError, OSError)
    assert not issubclass(ThrottlingError, TransportError)
