"""How campaigns stand: one squeue and one sacct for all of them, and what is kept where Slurm does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from librarian.campaigns import ask, local
from librarian.campaigns.folder import Folder
from librarian.campaigns.model import Campaign, History, Task
from librarian.campaigns.states import State, Told, keep, open_arrays, states
from librarian.errors import SlurmError
from librarian.slurm.command import Slurm


@dataclass(frozen=True)
class View:
    """A campaign as it stands."""

    folder: Folder
    campaign: Campaign
    tasks: list[Task]
    history: History
    states: dict[int, State]


def look(folders: Sequence[Folder], slurm: Slurm, now: int) -> tuple[list[View], list[SlurmError]]:
    """All of these campaigns, and what Slurm did not answer. Raises `StoreError`, `ConfigError`."""
    read = [(folder, folder.campaign(), folder.tasks(), folder.history(), folder.states()) for folder in folders]
    wanted = [array for *_, history, kept in read for array in open_arrays(history, kept)]
    told, problems = _asked(slurm, [array.job for array in wanted], {array.by for array in wanted})
    views = []
    for folder, campaign, tasks, history, before in read:
        kept = before
        if open_arrays(history, before):
            kept = keep(history, before, told)
            if kept != before:
                folder.keep_states(kept)
        here = Told(told.queue, told.ended, local.told(folder, history))
        found = states(tasks, history, kept, here, now, partial(_is_there, campaign))
        views.append(View(folder, campaign, tasks, history, found))
    return views, problems


def _asked(slurm: Slurm, jobs: Sequence[str], users: set[str]) -> tuple[Told, list[SlurmError]]:
    """What squeue and sacct say; squeue first, so what ends between the two is in the second."""
    if not jobs:
        return Told({}, {}), []
    problems: list[SlurmError] = []
    queue = ended = None
    try:
        queue = ask.queue(slurm, users)
    except SlurmError as error:
        problems.append(error)
    try:
        ended = ask.ended(slurm, jobs)
    except SlurmError as error:
        problems.append(error)
    return Told(queue, ended), problems


def output_of(campaign: Campaign, task: Task) -> str:
    """The output file of a task, or ""."""
    if not campaign.output:
        return ""
    found = campaign.output
    values = {"row": str(task.row), "repeat": str(task.repeat), **task.parameters}
    for name, text in values.items():
        found = found.replace("{" + name + "}", text.replace("/", "_"))
    return found if found.startswith("/") else f"{campaign.workdir}/{found}"


def _is_there(campaign: Campaign, task: Task) -> bool:
    """Whether a task's output file is there, where the campaign names one."""
    path = output_of(campaign, task)
    return not path or Path(path).exists()
