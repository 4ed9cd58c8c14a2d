"""Ending tasks, and clearing away what nothing needs any more."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from librarian.campaigns import ask
from librarian.campaigns.folder import Folder
from librarian.campaigns.looking import View
from librarian.campaigns.model import LOCAL, Array
from librarian.campaigns.states import DONE, PENDING, RUNNING
from librarian.errors import ConfigError, SlurmError
from librarian.slurm.command import Slurm
from librarian.system import host

_LOOK = 1.0


def active(view: View) -> list[Array]:
    """The arrays of which a task is pending or running."""
    found = []
    for row, tries in view.history.tries().items():
        if view.states[row].kind in (PENDING, RUNNING) and tries[-1][0] not in found:
            found.append(tries[-1][0])
    return found


def cancel(slurm: Slurm, arrays: Sequence[Array], user: str, patience: float) -> list[Array]:
    """Cancel this user's arrays and wait until squeue has none of them; returns those of others, which stay.

    Raises `SlurmError`, also where they have not ended after `patience` seconds.
    """
    own = [array for array in arrays if array.by == user and array.kind != LOCAL and array.job]
    if own:
        jobs = {array.job for array in own}
        slurm.run("scancel", sorted(jobs))
        end = host.stopwatch() + patience
        while any(job in jobs for job, _ in ask.queue(slurm, [user])):
            if host.stopwatch() > end:
                raise SlurmError("tasks have not ended yet", f"after {patience:g} s", "see: librarian campaign status")
            host.pause(_LOOK)
    return [array for array in arrays if array not in own]


def need_rest(view: View) -> None:
    """Raise `ConfigError` where a task is pending or running, or may be."""
    busy = sum(state.kind in (PENDING, RUNNING) for state in view.states.values())
    if busy or any(not array.settled for array in view.history.arrays):
        name = view.campaign.name
        raise ConfigError(
            f"{busy} tasks of {name} are pending or running", todo=f"first: librarian campaign stop {name}"
        )


def unneeded(view: View) -> list[Path]:
    """Files that no task needs: logs and parameters of tasks that are done, what arrays without live tasks read."""
    found: list[Path] = []
    done = {row for row, state in view.states.items() if state.kind == DONE}
    busy = {row for row, state in view.states.items() if state.kind in (PENDING, RUNNING)}
    for array in view.history.arrays:
        prefix = array.id if array.kind == LOCAL else array.job
        for index, row in enumerate(array.rows):
            if row in done and prefix:
                found.append(view.folder.path / "logs" / f"{prefix}_{index}.log")
        if array.kind != LOCAL and (array.void or (array.job and not busy & set(array.rows))):
            # `void` and `job` stay: a task that starts late looks at them
            found += [view.folder.array(array.id) / name for name in ("rows.jsonl", "job.py")]
    for row in done:
        found += [view.folder.path / "params" / f"{row}.json", view.folder.path / "results" / f"{row}.before"]
    return [path for path in found if path.exists()]


def take_away(paths: Sequence[Path]) -> None:
    """Remove files; one that cannot be stays."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def remove(folder: Folder) -> None:
    """Remove a campaign; first the file without which it is none."""
    (folder.path / "campaign.json").unlink()
    host.remove_tree(folder.path)
