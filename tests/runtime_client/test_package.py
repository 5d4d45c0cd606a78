"""Test the package as a whole: its public names, their docstrings, and when modules are loaded."""

import inspect
import subprocess
import sys
from importlib.metadata import version

import pytest

import sagemaker_runtime_client as package
from sagemaker_runtime_client._value import Value
from tests.runtime_client.loopback import Loopback, response

# The modules of this package that ``import sagemaker_runtime_client`` loads.
LOADED = [
    "",
    "._aws",
    "._aws.auth",
    "._aws.call",
    "._aws.endpoint",
    "._aws.error_response",
    "._aws.operation",
    "._aws.retry",
    "._aws.user_agent",
    "._clients",
    "._core",
    "._core.base",
    "._core.buckets",
    "._core.downloads",
    "._core.inference",
    "._core.methods",
    "._core.objects",
    "._core.operations",
    "._core.routers",
    "._core.session",
    "._core.submission",
    "._errors",
    "._inference",
    "._inference.arguments",
    "._inference.invocation",
    "._inference.invoke_endpoint_async",
    "._inference.members",
    "._io",
    "._io.cancellation",
    "._io.files",
    "._io.generation",
    "._io.httpx_bridge",
    "._io.message",
    "._io.on_threads",
    "._io.proxies",
    "._io.run",
    "._io.senders",
    "._io.system",
    "._io.tls",
    "._io.transport",
    "._limits",
    "._settings",
    "._settings.arguments",
    "._settings.config",
    "._settings.context",
    "._settings.profiles",
    "._settings.setting",
    "._value",
    "._version",
    ".credentials",
    ".credentials._chain",
    ".credentials._provider",
    ".credentials._refresh",
]
HEAVY = [
    *(
        "anyio",
        "asyncio",
        "attr",
        "cryptography",
        "email",
        "http.client",
        "httpcore",
        "httpx",
        "httpx2",
    ),
    *("multiprocessing", "socket", "ssl", "subprocess", "tempfile", "urllib.request", "uuid"),
    *("xml", "starlette", "uvicorn", "rich"),
]


def modules_after(statement):
    """Return the names of all modules that a new interpreter loads when it executes *statement*."""
    program = f"import sys\nbefore = set(sys.modules)\n{statement}\n"
    program += "print(*sys.modules.keys() - before, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return done.stdout.split()


def test_what_an_import_loads():
    """Importing the package loads exactly the listed modules of this package, and no heavy module."""
    loaded = modules_after("import sagemaker_runtime_client")
    ours = [name for name in loaded if name.partition(".")[0] == package.__name__]
    assert sorted(ours) == [package.__name__ + name for name in LOADED]
    assert [name for name in HEAVY if name in loaded] == []


def test_what_a_client_loads():
    """Creating a client, which in Lambda happens before the first event, loads no heavy module."""
    loaded = modules_after(
        "import sagemaker_runtime_client as s\n"
        "s.SageMakerRuntimeClient(region='eu-west-1')\ns.AsyncSageMakerRuntimeClient()"
    )
    assert [name for name in HEAVY if name in loaded] == []


# The modules of this package that importing one of its optional parts loads, in addition to `LOADED`.
EVENTS = ["", "._json", "._parse", "._readers", "._results", "._values"]
HANDLERS = [
    "",
    "._batch",
    "._claims",
    "._decorators",
    "._events",
    "._jobs",
    "._loop",
    "._s3_claims",
    "._submitter",
]


@pytest.mark.parametrize(
    ("part", "listed"),
    [
        ("events", [f".events{name}" for name in EVENTS]),
        (
            "handlers",
            [
                *("._s3", "._s3.objects"),
                *[f".events{name}" for name in EVENTS],
                *[f".handlers{name}" for name in HANDLERS],
            ],
        ),
    ],
)
def test_what_a_part_loads(part, listed):
    """Importing events or handlers, as at the cold start of a Lambda function, loads few modules."""
    before = modules_after("import sagemaker_runtime_client")
    loaded = modules_after(f"import sagemaker_runtime_client.{part}")
    added = {name.removeprefix(package.__name__) for name in set(loaded) - set(before)}
    assert sorted(added) == listed


def test_what_lambda_loads():
    """If the credentials are in environment variables, only the provider that reads them is
    imported.
    """
    loaded = modules_after(
        "import os, sagemaker_runtime_client as s\n"
        "os.environ |= {'AWS_ACCESS_KEY_ID': 'AKID', 'AWS_SECRET_ACCESS_KEY': 'secret'}\n"
        "with s.default_chain() as chain:\n    chain.get()"
    )
    ours = [name for name in loaded if name.startswith("sagemaker_runtime_client.credentials._")]
    parts = ["_chain", "_default", "_environment", "_provider", "_refresh"]
    assert sorted(name.rpartition(".")[2] for name in ours) == parts
    assert [name for name in HEAVY if name in loaded] == []


# Modules of this package that the first call loads in addition to `LOADED`.  Those in the second
# list are loaded only on asyncio.
FIRST_CALL = [
    "._io.pool",
    "._io.pool.connection",
    "._io.pool.connector",
    "._io.pool.exchange",
    "._io.pool.pool",
    "._io.pool.state",
    "._io.streams",
    "._io.streams.thread_stream",
    ".credentials._environment",
]
FIRST_CALL_ON_ASYNCIO = ["._io.on_asyncio", "._io.streams.asyncio_stream"]
# Other packages that the first call may load.  `STANDARD` below lists the modules of the standard
# library, for CPython 3.11 to 3.14.
PACKAGES = {"h11", "httpx", "idna", "sigv4"}
# Optional modules that are not installed in a Lambda function.
ABSENT = ["brotli", "brotlicffi", "click", "h2", "pygments", "rich", "socksio", "trio", "zstandard"]
# httpx 0.27 loads all modules of its transport when it is imported.
if version("httpx").startswith("0.27."):
    PACKAGES |= {"_queue", "anyio", "certifi", "httpcore", "queue", "sniffio", "zipfile"}
else:
    ABSENT.append("sniffio")
_STANDARD = (
    "_hmac _interpreters _py_warnings _types _zstd annotationlib compression "
    "__future__ _ast _asyncio _bisect _blake2 _bz2 _collections _colorize _compression "
    "_contextvars _datetime _functools _hashlib _heapq _json _locale _lzma _opcode "
    "_opcode_metadata _operator _posixsubprocess _random _sha2 _sha512 _socket _sre "
    "_ssl _string _struct _tokenize _typing _weakrefset array ast asyncio atexit "
    "base64 binascii bisect bz2 calendar collections concurrent contextlib "
    "contextvars copy copyreg dataclasses datetime dis email enum errno fcntl "
    "fnmatch functools glob grp hashlib heapq hmac http importlib inspect io "
    "ipaddress itertools json keyword linecache locale logging lzma math mimetypes "
    "ntpath opcode operator pathlib pwd quopri random re reprlib select selectors "
    "shutil signal socket ssl string struct subprocess tempfile textwrap threading "
    "token tokenize traceback types typing unicodedata urllib warnings weakref zlib "
)
STANDARD = set(_STANDARD.split())
CALLS = {
    "SageMakerRuntimeClient": "s.SageMakerRuntimeClient(**o).invoke_endpoint_async(*a)",
    "AsyncSageMakerRuntimeClient": "import asyncio\nasyncio.run("
    "s.AsyncSageMakerRuntimeClient(**o).invoke_endpoint_async(*a))",
}


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("client", CALLS)
def test_what_the_first_call_loads(client):
    """The first call loads only listed modules; each addition to the lists requires a reason."""
    call = CALLS[client].replace("(*a)", "('e', input_location='s3://b/k')")
    with Loopback(lambda *_: response(b"{}", 202)) as server:
        loaded = modules_after(
            f"import sys; sys.modules.update(dict.fromkeys({ABSENT}))\n"
            "import os, sagemaker_runtime_client as s\n"
            "os.environ |= {'AWS_ACCESS_KEY_ID': 'AKID', 'AWS_SECRET_ACCESS_KEY': 'canary-secret'}\n"
            f"o = {{'region': 'eu-west-1', 'endpoint_url': {server.url!r}}}\n{call}"
        )
    ours = {name for name in loaded if name.partition(".")[0] == package.__name__}
    known = {*LOADED, *FIRST_CALL, *(FIRST_CALL_ON_ASYNCIO if client[0] == "A" else ())}
    assert ours == {package.__name__ + name for name in known}
    others = {name.partition(".")[0] for name in loaded} - {package.__name__, *ABSENT}
    assert others <= PACKAGES | STANDARD


def test_public_names_are_sorted():
    """`__all__` is sorted in case-insensitive order."""
    assert package.__all__ == sorted(package.__all__, key=str.casefold)


def test_public_names_are_complete():
    """`__all__` lists exactly the package's public names, except its submodules."""
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    named = {name for name in vars(package) if name[0] != "_"} | {"__version__"}
    named -= {name for name in named if inspect.ismodule(vars(package)[name])}
    assert sorted(named - {"Any", "TYPE_CHECKING"}) == sorted(package.__all__)


def test_options_and_settings():
    """The keys of `Settings` are the constructor's arguments, and the keys of `InvokeOptions` are
    the arguments of an invocation, except the endpoint name and the input.
    """
    constructor = inspect.signature(package.SageMakerRuntimeClient).parameters
    assert set(package.Settings.__annotations__) == set(constructor)
    request = inspect.signature(package.InvokeEndpointAsyncRequest).parameters
    others = {"endpoint_name", "body", "input_location"}
    assert set(request) - others == set(package.InvokeOptions.__annotations__)


@pytest.mark.parametrize("name", ["ClientOptions", "InvokeOptions", "Settings"])
def test_options_and_settings_on_demand(name):
    """The types of options and settings are imported only when they are first accessed."""
    statement = f"import {package.__name__} as s; assert {name!r} not in vars(s); s.{name}"
    assert modules_after(statement)


def test_unknown_names():
    """Accessing an unknown name in the package raises AttributeError."""
    assert not hasattr(package, "RuntimeClient")
    assert not hasattr(package._core, "RuntimeClient")


PUBLIC = [getattr(package, name) for name in package.__all__ if name != "__version__"]
METHODS = [
    (kind, name)
    for kind in PUBLIC
    if inspect.isclass(kind)
    for name in vars(kind)
    if name[0] != "_" and (callable(getattr(kind, name)) or isinstance(vars(kind)[name], property))
]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__name__)
def test_documented(public):
    """Each public class and function has a docstring, and a class docstring describes every field."""
    assert inspect.getdoc(public)
    parts = [field.name for field in getattr(public, "__attrs_attrs__", ())]
    if issubclass(type(public), type) and issubclass(public, Value):
        parts += public.__match_args__
    assert [name for name in parts if f"{name}:" not in public.__doc__] == []


@pytest.mark.parametrize(
    ("kind", "name"), METHODS, ids=[f"{kind.__name__}.{name}" for kind, name in METHODS]
)
def test_methods_are_documented(kind, name):
    """Each public method and property of a public class has a docstring."""
    value = inspect.getattr_static(kind, name)
    assert inspect.getdoc(value)


def test_version():
    """`__version__` is the version of the installed distribution."""
    assert package.__version__ == package._version.__version__
    assert package.__version__ == version("sagemaker-runtime-client")
