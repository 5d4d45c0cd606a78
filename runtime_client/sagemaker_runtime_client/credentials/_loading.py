"""`open_context`: loads the settings, and the instance's region if that is enabled."""

from __future__ import annotations

from collections.abc import Mapping

from .._io.generation import importing
from .._io.system import System
from .._settings.context import Context, KeyPassphrase, MFAToken, OpenTransport, load_context


async def open_context(
    system: System,
    open_transport: OpenTransport,
    arguments: Mapping[str, object],
    mfa_token: MFAToken | None = None,
    key_passphrase: KeyPassphrase | None = None,
) -> Context:
    """Return the result of `load_context`, with the instance's region if no other region is set.

    The instance metadata service is queried only if ``region_from_instance`` is enabled.
    """
    context = await load_context(system, open_transport, arguments, mfa_token, key_passphrase)
    config = context.config
    if config.region is not None or not config.region_from_instance:
        return context
    with importing():
        from ._instance_metadata import InstanceMetadataProvider

    region = await InstanceMetadataProvider(context, "instance-metadata").region()
    return context.replace(config=config.with_region(region))
