"""Wakes one waiting thread or task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..._io.concurrency import Backend, Event


class Bell:
    """Wakes the one that waits for it; other threads, or tasks, ring it after a change of state.

    The waiter looks at the state after `wait`.  A ring before `wait` counts, so none is lost.
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
        """Wait until the bell is rung, or was rung since the last wait."""
        event = self._event = self._backend.event()
        if not self._was_rung:
            await event.wait(None)
        self._was_rung = False
