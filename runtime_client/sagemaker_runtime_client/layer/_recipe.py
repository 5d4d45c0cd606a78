"""Defines what a layer contains, which files are left out, and why."""

from fnmatch import fnmatchcase

DISTRIBUTION = "sagemaker-runtime-client"
PACKAGES = ("sigv4", "sagemaker_runtime_client")

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# Maps Lambda's name for each architecture to pip's name for the platform.  Wheels for these
# platforms run with glibc 2.17 or newer.  Lambda runs Python 3.11 on Amazon Linux 2, which has
# glibc 2.26, and newer Python versions on Amazon Linux 2023, which has glibc 2.34.
ARCHITECTURES = {"x86_64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}

# Maps each variant to the dependencies that it omits.
VARIANTS: dict[str, frozenset[str]] = {
    "lean": frozenset({"cryptography", "cffi"}),
    "full": frozenset(),
}

# Maps each dependency that pip would install, but that the packages in a layer never use, to the
# reason for omitting it.
NEVER = {"pycparser": "parses C for cffi's compiler, which is left out as well"}

# Maps path patterns, relative to python/, to the reasons for leaving the files out.  A star also
# matches slashes.
LEFT_OUT = {
    "*.pyi": "for type checkers",
    "*/py.typed": "for type checkers",
    "*/README.md": "for developers of the package",
    "*/tests/*": "for developers of the package",
    "bin/*": "Lambda runs programs of a layer only from /opt/bin",
    "*.dist-info/[!Ml]*": "for installers; METADATA and licenses/ stay for scanners, "
    "importlib.metadata and redistribution",
    "sagemaker_runtime_client/__main__.py": "the command line",
    "sagemaker_runtime_client/_cli/*": "the command line",
    "sagemaker_runtime_client/emulator/*": "for tests of applications",
    "sagemaker_runtime_client/layer/*": "builds layers",
    "sigv4/__main__.py": "the command line",
    "sigv4/_asgi/*": "for servers",
    "sigv4/_cli/*": "the command line",
    "sigv4/asgi.py": "for servers",
    "certifi/__main__.py": "a command line",
    "httpx/_main.py": "a command line, and needs click",
    "idna/__main__.py": "a command line",
    "idna/cli.py": "a command line",
    "idna/codec.py": "registers a codec, and is imported only by users of that codec",
    "idna/compat.py": "names from the time of Python 2",
    "idna/uts46data.py": "for idna.encode(uts46=True), which in a layer only anyio calls, and only for a "
    "host name that is not ASCII; httpx encodes host names itself",
    # A Lambda function that needs trio, h2 or socksio must contain its own complete copy of anyio
    # or httpcore, which comes before the layer on the module search path.
    "anyio/_backends/_trio.py": "needs trio",
    "httpcore/_backends/trio.py": "needs trio",
    "httpcore/_*/http2.py": "needs h2",
    "httpcore/_*/socks_proxy.py": "needs socksio",
    "anyio/pytest_plugin.py": "needs pytest",
    "cffi/*": "cffi's compiler; cryptography needs only the extension module",
}

# Maps each source file that stays in a sourceless layer to the reason for keeping it.
READ_AT_RUN_TIME = {
    "anyio/__init__.py": "reads its own source to import lazily; otherwise it imports all of anyio",
}


def is_left_out(path: str) -> bool:
    """Return whether the recipe leaves out the file at *path*, which is relative to python/."""
    return any(fnmatchcase(path, pattern) for pattern in LEFT_OUT)
