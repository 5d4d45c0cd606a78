"""Test the public names of the package, and which modules are loaded when it is imported."""

import subprocess
import sys

import sigv4

# Importing the package loads only these modules and parts of the standard library.
LOADED = [
    "sigv4",
    "sigv4._algorithm",
    "sigv4._canonical",
    "sigv4._credentials",
    "sigv4._encoding",
    "sigv4._errors",
    "sigv4._payload",
    "sigv4._request",
    "sigv4._signer",
    "sigv4._signing_rules",
    "sigv4._v4",
    "sigv4._value",
]
HEAVY = [
    "asyncio",
    "attr",
    "cryptography",
    "email",
    "http",
    "httpcore",
    "httpx",
    "httpx2",
    "ssl",
    "xml",
]


def modules_after(statement):
    """Return the names of the modules that are loaded after a new interpreter has run *statement*."""
    program = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_what_an_import_loads():
    """Importing the package loads only its modules in `LOADED`, and no module in `HEAVY`."""
    loaded = modules_after("import sigv4")
    assert sorted(name for name in loaded if name.partition(".")[0] == "sigv4") == LOADED
    assert [name for name in HEAVY if name in loaded] == []


def test_public_names_are_sorted():
    """`__all__` is sorted without regard to case."""
    assert sigv4.__all__ == sorted(sigv4.__all__, key=str.casefold)


def test_public_names_are_complete():
    """`__all__` contains each name that is not private, a module or imported for typing."""
    public = {name for name, value in vars(sigv4).items() if name[0] != "_"}
    modules = {name for name in public if isinstance(vars(sigv4)[name], type(sys))}
    imported_for_typing = {"Any", "TYPE_CHECKING"}
    assert public - modules - imported_for_typing - set(sigv4.__all__) == set()
    assert [name for name in sigv4.__all__ if getattr(sigv4, name, None) is None] == []


def test_unknown_names():
    """Accessing an unknown name raises AttributeError, as in any module."""
    assert not hasattr(sigv4, "SigV5")
