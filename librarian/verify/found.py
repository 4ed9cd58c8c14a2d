"""What came of comparing one QoS."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.verify.compare import Running
from librarian.verify.hours import Hours


@dataclass(frozen=True)
class Found:
    """A QoS: its hours beside sreport's, its running jobs beside squeue's (None: nothing was collected yet)."""

    qos: str
    hours: Hours
    running: Running | None

    @property
    def compared(self) -> bool:
        """Whether hours were."""
        return bool(self.hours.lines)

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return not all(line.agrees for line in self.hours.lines) or not (self.running is None or self.running.agrees)

    @property
    def complete(self) -> bool:
        """Whether all was compared that there is: no user is hidden, and no time is left out for want of an answer."""
        return bool(self.hours.spans) and not self.hours.hidden and self.running is not None
