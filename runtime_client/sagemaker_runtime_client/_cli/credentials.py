"""The command `credentials`: show the source of the credentials, or export them."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence

from attrs import asdict

from sigv4 import Credentials

from .._errors import ConfigError, CredentialProviderError
from .._io.on_threads import sync_backend
from .._io.run import run
from .._io.stderr_log import printable
from .._io.system import System
from .._settings.context import transport_opener
from ..credentials import open_context
from ..credentials._chain import SkippedProvider, search
from ..credentials._refresh import refuse_expired
from .exports import exported
from .prompts import mfa_token
from .report import Report, report

# The environment variable that lists the profiles that this process and its parent processes
# export.
_EXPORTING = "_SAGEMAKER_RUNTIME_EXPORTING"


def credentials(options: argparse.Namespace) -> None:
    """Show the source of the credentials and why other sources are skipped, or export credentials."""
    system = System(sync_backend)
    arguments = {"profile": options.profile, "region": options.region}
    skipped: list[SkippedProvider] = []

    async def resolve() -> tuple[Report, Credentials]:
        context = await open_context(
            system, transport_opener(sync_backend, None), arguments, mfa_token
        )
        try:
            if options.export:
                _check_recursion(context.profile)
            found = await search(context, skipped)
            if options.export:
                refuse_expired(found, system.now())
            return await report(context, found, verify=options.verify), found.credentials
        finally:
            await context.transport.close()

    try:
        facts, found = run(resolve())
    except CredentialProviderError:
        if not (options.json or options.export):
            _table({}, skipped)
        raise
    if options.export:
        print(exported(found, options.export))
    elif options.json:
        print(json.dumps({**asdict(facts), "skipped": [source._asdict() for source in skipped]}))
    else:
        _table(asdict(facts), skipped)


def _check_recursion(profile: str) -> None:
    """Raise ConfigError if a process that exports *profile* started this one, even indirectly.

    Otherwise, record *profile* in the environment for the processes that this one starts.
    """
    profiles = os.environ.get(_EXPORTING, "").split("\n")
    if profile in profiles:
        raise ConfigError(
            f"credential_process of profile {profile!r} exports the same profile: name another "
            "profile in its --profile option"
        )
    os.environ[_EXPORTING] = "\n".join((*profiles, profile))


def _table(facts: Mapping[str, object], skipped: Sequence[SkippedProvider]) -> None:
    """Print the facts about the credentials, and the skipped sources with the reasons."""
    lines = [(name.replace("_", " "), value) for name, value in facts.items()]
    lines += [("skipped", f"{source.name}: {source.reason}") for source in skipped]
    for name, value in lines:
        if value is not None:
            print(f"{name:<14} {printable(str(value))}")
