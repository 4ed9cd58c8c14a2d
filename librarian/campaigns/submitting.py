"""Handing rows to Slurm as job arrays, so that no row is submitted twice and none is lost, whenever this is killed.

1. `rows.jsonl` and the batch script of the array are written, then its line in `submissions.jsonl`: rows, indices and a
   job name that nothing else has. All of it is on the disk.
2. sbatch is called.
3. The job id is noted.

Killed between 1 and 3 the array is open: it is not known whether Slurm took it. Before anything else is submitted it
is settled: by what its first task wrote, else by its name, asked of squeue and sacct. Where neither knows it a file
`void` says that it was given up, and they are asked again: sbatch may live longer than who called it. A task looks at
that file before it runs, after having said that it is there; so one of the two always sees the other.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from librarian.campaigns import ask, launcher, parameters
from librarian.campaigns.folder import Folder
from librarian.campaigns.model import SLURM, Array, Campaign, Task, array_event
from librarian.errors import LibrarianError, SlurmError, StoreError, Trouble
from librarian.slurm.command import Slurm
from librarian.system import host
from librarian.system.lock import Lock

log = logging.getLogger(__name__)
# What sbatch says where there is no room for so many more tasks: sbatch(1), slurm_errno.h.
_NO_ROOM = re.compile(
    r"MaxSubmitJob|GrpSubmit|SubmitJobs|job submit limit|Job violates accounting/QOS policy|MaxJobCount|"
    r"Maximum number of jobs|Slurm temporarily unable to accept job|Resource temporarily unavailable"
)
_LIMIT = re.compile(r"\b(?:QOS|Assoc)[A-Z]\w+")  # the limit by its name, where sbatch tells it
# What it says where the answer was lost, not the job.
_UNSURE = re.compile(r"timed out|Zero Bytes|Socket|Unable to contact|connect|Unexpected message|communication", re.I)


@dataclass(frozen=True)
class Order:
    """What is to be submitted: rows, with which options, and how many of them may run at once (0: any)."""

    rows: Sequence[int]
    options: tuple[str, ...]
    max_running: int = 0
    commit: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of it: the arrays that Slurm has taken, the rows that are left, and why."""

    arrays: tuple[Array, ...]
    left: tuple[int, ...]
    why: LibrarianError | None = None


def is_no_room(said: str) -> bool:
    """Whether sbatch refused an array for want of room, so that a shorter one, or the same later, may be taken.

    The same sentence stands for all limits (ESLURM_ACCOUNTING_POLICY); the name before it tells them apart.
    """
    limit = _LIMIT.search(said)
    return "Submit" in limit[0] if limit else bool(_NO_ROOM.search(said))


class NoRoomError(SlurmError):
    """Slurm takes no more tasks of this user's for now."""


@dataclass(frozen=True)
class Hand:
    """What is needed to submit: the campaign, its lock, Slurm, the clock."""

    folder: Folder
    held: Lock
    slurm: Slurm
    clock: Callable[[], int] = host.clock


def submit(hand: Hand, campaign: Campaign, tasks: Sequence[Task], order: Order) -> Outcome:
    """Submit rows in arrays, each as long as Slurm allows; where it refuses one for want of room, in shorter ones.

    No error of Slurm's is raised: `Outcome` tells what went well before it. Raises `StoreError`.
    """
    by_row = {task.row: task for task in tasks}
    left, done, given = sorted(order.rows), list[Array](), 0
    try:
        longest = ask.longest_array(hand.slurm)
        size = longest
        share = max(1, order.max_running // -(-len(left) // longest)) if order.max_running else 0
        refused: NoRoomError | None = None
        room = len(left)  # how many more there is room for at most, as far as is known
        while left and room:
            rows = tuple(left[:size])
            running = max(1, min(share, order.max_running - given)) if share else 0
            try:
                done.append(_one(hand, campaign, [by_row[row] for row in rows], order, running))
            except NoRoomError as error:
                refused, room = error, len(rows) - 1
            else:
                left, room, given = left[len(rows) :], room - len(rows), given + running
            if refused:
                size = (room + 1) // 2
        return Outcome(tuple(done), tuple(left), refused if left else None)
    except SlurmError as error:
        return Outcome(tuple(done), tuple(left), error)


def _one(hand: Hand, campaign: Campaign, tasks: Sequence[Task], order: Order, share: int) -> Array:
    """One array, noted before and after. Raises `NoRoomError`, `SlurmError`, `StoreError`."""
    array = prepared(hand, campaign, tasks, SLURM, order.options, order.commit)
    script = hand.folder.array(array.id) / "job.py"
    logs = str(hand.folder.path).replace("%", "%%") + "/logs/%A_%a.log"
    throttle = f"%{share}" if share else ""
    ours = [
        "--parsable",
        f"--job-name={array.name}",
        f"--array=0-{len(tasks) - 1}{throttle}",
        f"--output={logs}",
        f"--chdir={campaign.workdir}",
        "--open-mode=append",
    ]
    hand.held.freshen()
    try:
        # in the user's own environment: tasks inherit it, and the times of --begin are those of its zone
        told = hand.slurm.run("sbatch", [*order.options, *ours, str(script)], environment={}).text.strip()
        job = told.splitlines()[-1].partition(";")[0] if told else ""  # behind it may be the cluster
        if not re.fullmatch(r"[0-9]+", job):
            raise SlurmError("sbatch told no job", told, trouble=Trouble.NOT_UNDERSTOOD)
    except SlurmError as error:
        return _after(hand, array, error)
    _note(hand, array, job)
    return replace(array, job=job)


def _after(hand: Hand, array: Array, error: SlurmError) -> Array:
    """What is so after sbatch failed: the array was refused, or taken without our hearing of it. Raises `error`."""
    if error.trouble is Trouble.COMMAND and not _UNSURE.search(error.why):
        _give_up(hand, array)
        if is_no_room(error.why):
            raise NoRoomError(
                "Slurm takes no more tasks for now", error.why, "submit again when some have ended"
            ) from error
        raise error
    found = settle(hand, array)
    if found.job:
        return found
    raise error


def prepared(
    hand: Hand, campaign: Campaign, tasks: Sequence[Task], kind: str, options: Sequence[str] = (), commit: str = ""
) -> Array:
    """An array with all that its tasks read, and its line in `submissions.jsonl`; on the disk. Raises `StoreError`."""
    name = os.urandom(6).hex()
    array = Array(
        id=name,
        kind=kind,
        rows=tuple(task.row for task in tasks),
        by=host.user_name(),
        at=hand.clock(),
        options=tuple(options),
        name=f"{campaign.name}:{name}",
        commit=commit,
    )
    place = hand.folder.array(name)
    lines = "".join(json.dumps(_row(campaign, task)) + "\n" for task in tasks)
    try:
        place.mkdir()
        if hand.folder.shared:
            place.chmod(0o2775)
        host.write_atomic(place / "rows.jsonl", lines.encode())
        host.write_atomic(place / "job.py", batch_script(hand.folder.path, name).encode(), 0o755)
        host.sync_folder(place)
        host.sync_folder(place.parent)
    except OSError as error:
        todo = "check the disk, its quota and who owns it"
        raise StoreError(f"{place} cannot be written", error.strerror or str(error), todo) from error
    hand.folder.append(hand.held, array_event(array))
    return array


def _row(campaign: Campaign, task: Task) -> dict[str, object]:
    """What the launcher reads of a task."""
    return {
        "campaign": campaign.name,
        "row": task.row,
        "repeat": task.repeat,
        "json": parameters.json_object(task.parameters) + "\n",
        "environment": {parameters.variable(name): text for name, text in task.parameters.items()},
        "arguments": arguments(campaign.arguments, task),
        "origin": campaign.origin,
        "workdir": campaign.workdir,
    }


def arguments(how: str, task: Task) -> list[str]:
    """The arguments of the script: `--lr=0.1` (named), `0.1` (values), or none."""
    if how == "named":
        return [f"--{name}={text}" for name, text in task.parameters.items()]
    return list(task.parameters.values()) if how == "values" else []


def batch_script(folder: Path, array: str) -> str:
    """The batch script of an array: the launcher, called with where it is."""
    python = sys.executable
    first = (
        f"#!{python} -I" if python and len(python) < 100 and not re.search(r"\s", python) else "#!/usr/bin/env python3"
    )
    call = f'run({json.dumps(str(folder))}, {json.dumps(array)}, int(os.environ["SLURM_ARRAY_TASK_ID"]))'
    return f"{first}\n{Path(launcher.__file__).read_text(encoding='utf-8')}\n\n{call}\n"


# what is open


def settle_all(hand: Hand) -> list[Array]:
    """Settle all arrays of this user's that are open; returns those that Slurm turned out to have.

    Raises `SlurmError` where Slurm does not answer: then nothing must be submitted.
    """
    me = host.user_name()
    others = {array.by for array in hand.folder.history().arrays if not array.settled} - {me}
    if others:
        why = f"{min(others)} was submitting when it was ended"
        raise SlurmError("an array is open", why, f"let {min(others)} run: librarian campaign submit")
    found = [settle(hand, array) for array in hand.folder.history().arrays if not array.settled]
    return [array for array in found if array.job]


def settle(hand: Hand, array: Array) -> Array:
    """An array of which it is known whether Slurm took it. Raises `SlurmError` where Slurm does not answer."""
    place = hand.folder.array(array.id)
    job = _written(place) or ask.find(hand.slurm, array.name, array.by, array.at)
    if not job:
        (place / "void").touch()
        host.sync_folder(place)
        job = _written(place) or ask.find(hand.slurm, array.name, array.by, array.at)
    if not job:
        hand.folder.append(hand.held, {"event": "void", "id": array.id})
        return replace(array, void=True)
    (place / "void").unlink(missing_ok=True)
    _note(hand, array, job)
    log.info("array %s was taken by Slurm as job %s", array.id, job)
    return replace(array, job=job)


def _written(place: Path) -> str:
    """The job id that a task of the array wrote, or ""."""
    try:
        job = (place / "job").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return job if re.fullmatch(r"[0-9]{1,12}", job) else ""


def _note(hand: Hand, array: Array, job: str) -> None:
    hand.folder.append(hand.held, {"event": "job", "id": array.id, "job": job})


def _give_up(hand: Hand, array: Array) -> None:
    """Note that Slurm refused an array."""
    hand.folder.append(hand.held, {"event": "void", "id": array.id})
