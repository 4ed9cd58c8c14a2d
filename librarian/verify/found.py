"""What came of comparing one QoS."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.errors import LibrarianError
from librarian.verify.compare import Running
from librarian.verify.hours import Hours


@dataclass(frozen=True)
class Found:
    """A QoS: its hours beside sreport's, its running jobs beside squeue's. None for what could not be compared, of
    which the `problems` tell, or where nothing was collected yet."""

    qos: str
    hours: Hours | None
    running: Running | None
    problems: tuple[LibrarianError, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether hours were."""
        return self.hours is not None and self.hours.compared

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        hours = self.hours is not None and self.hours.differs
        return hours or not (self.running is None or self.running.agrees)

    @property
    def complete(self) -> bool:
        """Whether all is the same, and nothing of what was asked for was left out."""
        told = self.hours is not None and self.hours.agrees and self.hours.whole and not self.hours.hidden
        return told and self.running is not None and not self.differs
