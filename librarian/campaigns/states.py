"""How the tasks of a campaign stand: from what was submitted, what Slurm says and what is kept. Pure.

Each task is one of `not_submitted`, `pending`, `running`, `done`, `failed`. Of several tries the last counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from librarian.campaigns.ask import Ended, Key, Live
from librarian.campaigns.model import LOCAL, Array, History, Task

NOT_SUBMITTED, PENDING, RUNNING, DONE, FAILED = "not_submitted", "pending", "running", "done", "failed"
KINDS = (NOT_SUBMITTED, PENDING, RUNNING, DONE, FAILED)
NO_OUTPUT, LOST = "NO_OUTPUT", "LOST"
SEEN = "seen"
_PENDING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
_RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
FINAL = {
    *("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"),
    *("PREEMPTED", "REVOKED"),
}
_PATIENCE = 600  # seconds from a submission in which Slurm may not know of it yet
ENOUGH = 3  # tasks that ended well, before their times tell anything


@dataclass(frozen=True)
class State:
    """How a task stands: its kind, Slurm's word, why it is pending, and of its last try exit status and times."""

    kind: str
    word: str = ""
    reason: str = ""
    exit: str = ""
    start: int = 0
    end: int = 0
    elapsed: int = 0
    cpu: int = 0


@dataclass(frozen=True)
class Told:
    """What Slurm said: None where it did not answer."""

    queue: Mapping[Key, Live] | None
    ended: Mapping[Key, Ended] | None
    local: Mapping[Key, State] = field(default_factory=dict)
    """How tasks of arrays without Slurm stand, by the array's own id and index."""


def open_arrays(history: History, kept: Mapping[str, Any]) -> list[Array]:
    """Arrays of Slurm's of which not every task is known to have ended."""
    return [
        array
        for array in history.arrays
        if array.job and not array.void and len(kept.get(array.id, {})) < len(array.rows)
    ]


def keep(history: History, kept: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """What is kept of tasks that ended, with what Slurm says of more of them: `{array: {index: [state, exit, …]}}`.

    Beside it, in `seen`, those that ran when Slurm answered last.
    """
    found = {name: dict(table) for name, table in kept.items()}
    if told.queue is None or told.ended is None:  # what ended may be about to begin again
        return found
    for array in open_arrays(history, kept):
        table = found.setdefault(array.id, {})
        for index in range(len(array.rows)):
            key = (array.job, index)
            row = told.ended.get(key)
            if key in told.queue:
                table.pop(str(index), None)
            elif row and row.state in FINAL:
                table[str(index)] = [row.state, row.exit, row.start, row.end, row.elapsed, row.cpu]
    running = [f"{job}_{index}" for (job, index), live in told.queue.items() if live.state in _RUNNING]
    jobs = {array.job for array in history.arrays}
    found[SEEN] = {task: 1 for task in running if task.partition("_")[0] in jobs}
    return found


def states(
    tasks: Sequence[Task],
    history: History,
    kept: Mapping[str, Any],
    told: Told,
    now: int,
    has_output: Callable[[Task], bool],
) -> dict[int, State]:
    """How each task stands, by its row."""
    tries = history.tries()
    found = {}
    for task in tasks:
        state = _last(tries.get(task.row, []), kept, told, now)
        if state.kind == DONE and not has_output(task):
            state = State(FAILED, NO_OUTPUT, "", state.exit, state.start, state.end, state.elapsed, state.cpu)
        found[task.row] = state
    return found


def _last(tries: Sequence[tuple[Array, int]], kept: Mapping[str, Any], told: Told, now: int) -> State:
    for array, index in reversed(tries):
        state = one(array, index, kept, told, now)
        if state.kind != NOT_SUBMITTED:  # a local one that never came to it
            return state
    return State(NOT_SUBMITTED)


def one(array: Array, index: int, kept: Mapping[str, Any], told: Told, now: int) -> State:
    """How one try stands."""
    row = kept.get(array.id, {}).get(str(index))
    if row and (array.job, index) not in (told.queue or ()):  # else it was requeued after it had ended
        return _of_row(Ended(str(row[0]), str(row[1]), *(int(cell) for cell in row[2:6])))
    if array.kind == LOCAL:
        return told.local.get((array.id, index), State(NOT_SUBMITTED))
    if not array.job:
        return State(PENDING, "UNSETTLED", "it is not known whether Slurm took it")
    return _asked(array, index, kept.get(SEEN, {}), told, now)


def _asked(array: Array, index: int, seen: Mapping[str, Any], told: Told, now: int) -> State:
    """How a try stands by what Slurm says of it: squeue's word goes before that of accounting, which comes later."""
    key = (array.job, index)
    live = told.queue.get(key) if told.queue is not None else None
    if live:
        return State(PENDING if live.state in _PENDING else RUNNING, live.state, live.reason)
    found = told.ended.get(key) if told.ended is not None else None
    if found is not None:
        return _of_row(found)
    if told.queue is not None and told.ended is not None and now - array.at >= _PATIENCE:
        return State(FAILED, LOST, "Slurm knows nothing of it")
    return State(RUNNING, "RUNNING") if f"{array.job}_{index}" in seen else State(PENDING, "SUBMITTED")


def _of_row(row: Ended) -> State:
    if row.state in _PENDING:
        return State(PENDING, row.state)
    if row.state in _RUNNING:
        return State(RUNNING, row.state, "", "", row.start, 0, row.elapsed, row.cpu)
    kind = DONE if row.state == "COMPLETED" else FAILED
    return State(kind, row.state, "", row.exit, row.start, row.end, row.elapsed, row.cpu)


def summary(found: Mapping[int, State]) -> dict[str, Any]:
    """The counts that other programs read: `tasks`, whose parts add up to `total`, and `failed_by`."""
    counts = Counter(state.kind for state in found.values())
    failed: dict[str, dict[str, int]] = {}
    for state in found.values():
        if state.kind == FAILED:
            table = failed.setdefault(state.word, {})
            table[state.exit] = table.get(state.exit, 0) + 1
    return {"tasks": {"total": len(found), **{kind: counts[kind] for kind in KINDS}}, "failed_by": failed}


def pending_by(found: Mapping[int, State]) -> dict[str, int]:
    """How many tasks are pending, by reason."""
    return dict(Counter(state.reason or state.word for state in found.values() if state.kind == PENDING))


def expected_end(found: Mapping[int, State], now: int) -> tuple[int, int] | None:
    """When the tasks that are submitted will have ended, as UTC epochs: if each takes the median of those that are
    done, and if each takes their 90th percentile, as many at a time as run now. None without enough evidence."""
    took = [state.elapsed for state in found.values() if state.kind == DONE]
    running = sum(state.kind == RUNNING for state in found.values())
    left = running + sum(state.kind == PENDING for state in found.values())
    if len(took) < ENOUGH or not left or not running:
        return None
    rounds = -(-left // running)
    slow = quantiles(took, n=10)[-1]
    return now + int(rounds * median(took)), now + int(rounds * max(slow, median(took)))
