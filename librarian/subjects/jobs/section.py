"""What is told of the runs themselves: what counts now, and which rows of Slurm's were left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from librarian.privacy.renaming import Renaming
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.report import Note, Section
from librarian.shared.words import amount, counted
from librarian.subjects.jobs.model import empty_jobs
from librarian.subjects.jobs.states import Reject

_UNCONFIRMED = "Not confirmed yet: Slurm's accounting names no job in this window. It is asked a second time."
_LEFT_OUT = "Many of Slurm's records are not understood and left out, so the numbers may be too low."


@dataclass(frozen=True)
class Runaways:
    """How many runs accounting has open that Slurm does not run, and the hours of the window after their last signs of
    life: these are left out, unless runaways are `counted`."""

    runs: int = 0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    counted: bool = False

    @property
    def note(self) -> str:
        """The same as a sentence."""
        hours = f"{amount(self.cpu_hours)} CPU-hours"
        hours += f" and {amount(self.gpu_hours)} GPU-hours" if self.gpu_hours else ""
        who = f"Slurm's accounting has {counted(self.runs, 'job')} open that Slurm does not run"
        if self.counted:
            they = "It counts" if self.runs == 1 else "They count"
            since = f"{hours} of this window are after the last sign of life"
            return f"{who}. {they} as running, as in Slurm's own sums: {since}."
        they = "It counts up to its" if self.runs == 1 else "They count up to their"
        return f"{who}. {they} last sign of life: {hours} of this window are left out."


@dataclass(frozen=True)
class JobsFacts:
    """`counting` is the jobs table of the runs that hold something now. `gpus_tracked` is None where Slurm does not
    tell, `hidden` what it keeps from ordinary users (PrivateData; "untold" where it does not tell that), `reader` the
    user who asked. `many_rejects`, `unconfirmed` and `runaways`: see `JobsSection`."""

    counting: pd.DataFrame = field(default_factory=empty_jobs)
    rejects: tuple[Reject, ...] = ()
    gpus_tracked: bool | None = None
    hidden: frozenset[str] = frozenset()
    reader: UserName | None = None
    many_rejects: bool = False
    unconfirmed: bool = False
    runaways: Runaways = field(default_factory=Runaways)

    def renamed(self, names: Renaming) -> JobsFacts:
        """By public names; of rejected rows only the reasons are left."""
        kinds = {"user": UserName, "account": AccountName, "partition": PartitionName}
        columns = {name: names.column(kind, self.counting[name]) for name, kind in kinds.items()}
        reader = self.reader
        if reader and names.users:  # where nobody is renamed, all are called as they are
            reader = UserName(names.users.get(reader, "the reporting user"))
        return replace(
            self,
            counting=self.counting.assign(**columns),
            rejects=tuple(replace(reject, line="") for reject in self.rejects),
            reader=reader,
        )


@dataclass(frozen=True)
class JobsSection(Section):
    """`rejects` are the rows that were left out, as far as readers may see them; `many_rejects`: so many that the
    numbers may well be wrong; `unconfirmed`: sacct named no run, and was not asked a second time yet; `runaways`: what
    accounting has open though Slurm does not run it."""

    rejects: tuple[Reject, ...]
    many_rejects: bool = False
    unconfirmed: bool = False
    runaways: Runaways = field(default_factory=Runaways)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What makes the numbers less than sure."""
        known = (
            (self.many_rejects, "rejects", _LEFT_OUT),
            (self.unconfirmed, "unconfirmed", _UNCONFIRMED),
            (self.runaways.runs, "runaways", self.runaways.note),
        )
        return tuple(Note(kind, text) for holds, kind, text in known if holds)
