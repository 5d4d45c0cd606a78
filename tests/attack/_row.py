"""What each attack hands back."""

from typing import NamedTuple


class Row(NamedTuple):
    """
    One figure of an attack.

    Attributes:
        name: What was attacked and what is counted, such as ``forged answers, uvloop, https``.
        measured: The figure.
        bound: What the figure must not exceed; 0 for whatever must never happen.
        unit: The unit of both, such as ``answers``, ``ms`` or ``KiB``.
    """

    name: str
    measured: float
    bound: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bound; a figure that is not a number is not."""
        return self.measured <= self.bound
