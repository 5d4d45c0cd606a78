"""A bell that wakes one waiting thread or task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..._io.concurrency import Backend, Event


class Bell:
    """Wakes the thread or task that waits for the bell; others ring it after they change a shared state.

    The waiter checks the state after `wait` returns.  If the bell rings before `wait` is called,
    `wait` returns immediately, so that no ring is lost.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._event: Event | None = None
        self._was_rung = False

    def ring(self) -> None:
        """Wake the waiter."""
        self._was_rung = True
        if (event := self._event) is not None:
            event.set()

    async def wait(self) -> None:
        """Wait for a ring, or return immediately if the bell has rung since the last `wait`."""
        event = self._event = self._backend.event()
        if not self._was_rung:
            await event.wait(None)
        self._was_rung = False
