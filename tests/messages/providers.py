"""Helpers that load credentials with scripted files, programs and responses."""

import json
from datetime import timedelta
from hashlib import sha1, sha256

from sagemaker_runtime_client import Response
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import parse_profiles
from sagemaker_runtime_client.credentials import _refresh
from sagemaker_runtime_client.credentials._chain import PROVIDERS, ResolvedCredentials, search
from sigv4 import Credentials
from tests.messages.said import said
from tests.runtime_client.scripted_io import REGION, START, ScriptedIO

SSO_CACHE = f"/home/user/.aws/sso/cache/{sha1(b'corp').hexdigest()}.json"
# The message with which the signer rejects an invalid access key ID.
MALFORMED_KEY = said(lambda: Credentials("AK ID", "s"))
LOGIN_CACHE = f"/cache/{sha256(b'me').hexdigest()}.json"


def context(config="", io=None, environ=(), **changes):
    """Return the context for a provider; *config* is the text of the config file."""
    environ = dict(environ)
    profiles = parse_profiles(("config", config))
    settings = Config.resolve({"region": REGION}, environ, profiles)
    io = io or ScriptedIO()
    io.environ = environ
    return Context(io, io, settings, profiles, **changes)


def load(name, config="", *responses, files=(), processes=(), environ=(), io=ScriptedIO, **changes):
    """Load credentials from one provider, or from the chain.

    Args:
        name: The provider's name, or ``chain`` to search all providers.
        config: The text of the config file.
        responses: The responses of the services, in order.
        files: The content of other files, keyed by path.
        processes: What each program writes to stdout, or how it ends, keyed by program name.
        environ: The environment variables.
        io: The class of the scripted I/O.
        changes: Further attributes of the `Context`.
    """
    system = io(responses, files=dict(files), processes=dict(processes))
    made = context(config, system, environ, **changes)
    return run(search(made) if name == "chain" else PROVIDERS[name].create(made).load())


def always(response):
    """Return a script in which each request, up to nine of them, gets *response*."""
    return [lambda _io, _sent: response] * 9


def as_json(document, status=200):
    """Return a response with this body: a string, which need not be JSON, or a document to encode."""
    text = document if isinstance(document, str) else json.dumps(document)
    return Response(status, [], text.encode())


def as_xml(text, status=200):
    """Return a response whose body is an XML document."""
    return Response(status, [], text.encode())


def wrote(text="", status=0, stderr=""):
    """Return a script in which ``vault`` writes *text* and *stderr*, and exits with *status*."""
    return {"vault": Finished(status, text.encode(), stderr.encode())}


def refresh(name, error, seconds):
    """Load credentials that expire after an hour, and request them again *seconds* later.

    From then on the provider fails as *error* states: it raises an exception, returns None
    (``"none"``) or returns expired credentials (``"expired"``).
    """
    io = ScriptedIO()

    class Provider:
        error = None

        async def load(self):
            if isinstance(self.error, Exception):
                raise self.error
            if self.error == "none":
                return None
            lifetime = timedelta(hours=-1 if self.error == "expired" else 1)
            return Credentials("AKIDEXAMPLE", "s", "t", io.now() + lifetime)

    provider = Provider()

    async def found(_context):
        return ResolvedCredentials(await provider.load(), PROVIDERS[name], provider)

    async def opened():
        return context(io=io)

    original, _refresh.search = _refresh.search, found
    try:
        credentials = _refresh.ChainCredentials(io, opened)
        if seconds:
            credentials.get()
        provider.error = error
        io.elapsed = float(seconds)
        credentials.get()
    finally:
        _refresh.search = original


__all__ = [
    "LOGIN_CACHE",
    "MALFORMED_KEY",
    "SSO_CACHE",
    "START",
    "always",
    "as_json",
    "as_xml",
    "context",
    "load",
    "refresh",
    "wrote",
]
