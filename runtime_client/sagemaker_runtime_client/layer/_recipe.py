"""What goes into a layer, and what is left out, with the reasons."""

from fnmatch import fnmatchcase

DISTRIBUTION = "sagemaker-runtime-client"
PACKAGES = ("sigv4", "sagemaker_runtime_client")

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# By Lambda's name.  These wheels ask for glibc 2.17: Python 3.11 runs on Amazon Linux 2, which has
# 2.26, its successors on Amazon Linux 2023, which has 2.34.
ARCHITECTURES = {"x86_64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}

# What each variant does without, of what the distribution requires.
VARIANTS: dict[str, frozenset[str]] = {
    "lean": frozenset({"cryptography", "cffi"}),
    "full": frozenset(),
}

# Required, and yet of no use in a layer.
NEVER = {"pycparser": "reads C for cffi's compiler, which is left out as well"}

# By pattern of a file's path below python/; a star matches slashes as well.
LEFT_OUT = {
    "*.pyi": "for type checkers",
    "*/py.typed": "for type checkers",
    "*/README.md": "for those who work on the package",
    "*/tests/*": "for those who work on the package",
    "bin/*": "a layer's programs would be in /opt/bin",
    "*.dist-info/[!Ml]*": "for installers: METADATA and licenses/ stay, for scanners, "
    "importlib.metadata and those who pass a layer on",
    "sagemaker_runtime_client/__main__.py": "the command line",
    "sagemaker_runtime_client/_cli/*": "the command line",
    "sagemaker_runtime_client/emulator/*": "for tests of those who use the client",
    "sagemaker_runtime_client/layer/*": "builds layers",
    "sigv4/__main__.py": "the command line",
    "sigv4/_asgi/*": "for servers",
    "sigv4/_cli/*": "the command line",
    "sigv4/asgi.py": "for servers",
    "certifi/__main__.py": "a command line",
    "httpx/_main.py": "a command line, and needs click",
    "idna/__main__.py": "a command line",
    "idna/cli.py": "a command line",
    "idna/codec.py": "registers a codec for those who import it",
    "idna/compat.py": "names of Python 2's time",
    # Who brings trio, h2 or socksio brings anyio or httpcore whole with it, and what a function
    # brings comes before the layer on the path.
    "anyio/_backends/_trio.py": "needs trio",
    "httpcore/_backends/trio.py": "needs trio",
    "httpcore/_*/http2.py": "needs h2",
    "httpcore/_*/socks_proxy.py": "needs socksio",
    "anyio/pytest_plugin.py": "needs pytest",
    "cffi/*": "cffi's compiler: cryptography needs its extension module alone",
}

# Sources that stay even where bytecode takes the place of all others.
READ_AT_RUN_TIME = {
    "anyio/__init__.py": "finds in itself what to import when; else it imports all of anyio at once",
}


def is_left_out(path: str) -> bool:
    """Tell whether the recipe leaves out a file, given its path below python/."""
    return any(fnmatchcase(path, pattern) for pattern in LEFT_OUT)
