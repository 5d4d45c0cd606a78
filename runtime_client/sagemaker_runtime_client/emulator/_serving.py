"""Runs an emulator for a command-line program."""

from collections.abc import Callable, Collection, Mapping, Sequence
from os import PathLike
from threading import Event

from sigv4 import Credentials

from ._emulator import LOOPBACK, Emulator
from ._models.values import Model, echo
from ._notifications.configuration import Notifications
from ._notifications.connecting import NotifyBy
from ._notifications.functions import Handler
from ._settings import MAX_PART_SIZE


def serve(
    model: Model = echo,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    credentials: Credentials | None = None,
    region: str = "us-east-1",
    endpoints: Collection[str] | None = None,
    destinations: Mapping[str, Sequence[str]] | None = None,
    part_size: int = MAX_PART_SIZE,
    strict_buckets: bool = False,
    require_kms: bool = False,
    data: str | PathLike[str] | None = None,
    notifications: Notifications | None = None,
    notify: Handler | str | None = None,
    notify_by: NotifyBy = "sns",
    ready: Callable[[Emulator], object] | None = None,
    stop: Event | None = None,
) -> None:
    """Run an emulator for a command-line program, until Ctrl-C is pressed or *stop* is set.

    Args:
        model: As for `Emulator`.
        host: As for `Emulator`.
        port: As for `Emulator`.
        credentials: As for `Emulator`.
        region: As for `Emulator`.
        endpoints: As for `Emulator`.
        destinations: As for `Emulator`.
        part_size: As for `Emulator`.
        strict_buckets: As for `Emulator`.
        require_kms: As for `Emulator`.
        data: As for `Emulator`.
        notifications: As for `Emulator`.
        notify: As for `Emulator`.
        notify_by: As for `Emulator`.
        ready: A function that is called with the emulator once it listens, for example to print
            its address.
        stop: An event that ends the emulator when it is set.

    Raises:
        Exception: Any exception that `Emulator` raises.
        OSError: The address is in use or not available.
        KeyboardInterrupt: Ctrl-C was pressed; the emulator has stopped.
    """
    with Emulator(
        model,
        host=host,
        port=port,
        credentials=credentials,
        region=region,
        endpoints=endpoints,
        destinations=destinations,
        part_size=part_size,
        strict_buckets=strict_buckets,
        require_kms=require_kms,
        data=data,
        notifications=notifications,
        notify=notify,
        notify_by=notify_by,
    ) as emulator:
        if ready is not None:
            ready(emulator)
        (stop or Event()).wait()
