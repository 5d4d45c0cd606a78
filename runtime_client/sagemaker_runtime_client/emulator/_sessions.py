"""The sessions of stateful models.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from attrs import define, field

NEW_SESSION = "NEW_SESSION"
_SESSION_LIFETIME = timedelta(minutes=20)


@define(eq=False)
class Sessions:
    """The sessions of stateful models.

    Attributes:
        now: Returns the time of the server's clock.
    """

    now: Callable[[], datetime]
    _expiries: dict[str, datetime] = field(factory=dict[str, datetime], init=False)

    def open(self) -> tuple[str, str]:
        """Open a session, and return its ID and the value of the response header that reports it."""
        session_id, now = str(uuid4()), self.now()
        expires = now + _SESSION_LIFETIME
        unexpired = {name: end for name, end in self._expiries.items() if now < end}
        self._expiries = {**unexpired, session_id: expires}
        return session_id, f"{session_id}; Expires={expires:%Y-%m-%dT%H:%M:%SZ}"

    def is_open(self, session_id: str) -> bool:
        """Return whether a session exists and has not expired."""
        return session_id in self._expiries and self.now() < self._expiries[session_id]

    def close(self, session_id: str) -> None:
        """Close a session, so that no later request can use it."""
        self._expiries.pop(session_id, None)
