"""What is told of the runs themselves: what counts now, and which rows of Slurm's were left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from librarian.privacy.renaming import Renaming
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.report import Section
from librarian.subjects.jobs.model import Reject, empty_jobs


@dataclass(frozen=True)
class JobsFacts:
    """`counting` is the jobs table of the runs that hold something now. `gpus_tracked` is None where Slurm does not
    tell, `hidden` what it keeps from ordinary users (PrivateData; "untold" where it does not tell that), `reader` the
    user who asked."""

    counting: pd.DataFrame = field(default_factory=empty_jobs)
    rejects: tuple[Reject, ...] = ()
    gpus_tracked: bool | None = None
    hidden: frozenset[str] = frozenset()
    reader: UserName | None = None

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
    """`rejects` are the rows that were left out, as far as readers may see them."""

    rejects: tuple[Reject, ...]
