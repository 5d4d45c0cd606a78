"""The result of an attack: a measured figure and its bound."""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure of an attack.

    Attributes:
        name: What was attacked and what is counted, such as ``forged responses, uvloop, https``.
        measured: The measured figure.
        bound: The largest allowed figure; 0 for events that must never happen.
        unit: The unit of *measured* and *bound*, such as ``responses``, ``ms`` or ``KiB``.
    """

    name: str
    measured: float
    bound: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bound; False for NaN."""
        return self.measured <= self.bound
