"""`librarian watchdog`: looks whether our entries are alive, and puts right what can be put right.

It knows nothing of the store and the renderers, so it works when they do not. It touches no job and no line but ours,
and an answer of Slurm's that is missing or strange changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from librarian.errors import BusyError, LibrarianError
from librarian.scrontab import ask, crontable
from librarian.scrontab.installed import Installed, put_table, recorded
from librarian.scrontab.watch import Decision, Memory, Observation, decide, remembered
from librarian.slurm.command import Slurm
from librarian.system.host import close_to_others, locked, make_private, write_atomic

MEMORY = "watchdog-{}.json"
STATUS = "status.json"
_LOG_BYTES = 1_000_000
_SILENT = 6  # intervals after which the report looks after the watchdog


def check(slurm: Slurm, state: Path, name: str, now: int) -> Decision:
    """Look at the installation `name`, act where that helps, and write down what was done and why.

    Raises `LibrarianError` when Slurm or the state folder do not answer; then nothing was changed.
    """
    known = recorded(state, name)
    if known is None:
        return Decision("none", "our entries are not installed", trouble=False)
    if known.paused:
        return Decision("none", "our entries are paused on purpose (librarian resume)", trouble=False)
    with locked(state / f"watchdog-{name}.lock", "a watchdog"):
        memory = _memory(state, name)
        table = ask.look(slurm)
        seen = _seen(slurm, state, known, table)
        decision = decide(seen, memory, now)
        try:
            _act(slurm, state, known, table or "", decision, now)
        finally:
            # also when it failed: a table that is refused must not be put in again at once
            _remember(state, name, remembered(memory, seen, decision, now), decision, now)
    return decision


def check_on(slurm: Slurm, state: Path, name: str, now: int) -> Decision | None:
    """What the report does for the watchdog in turn: its work, when nothing was heard of it for some intervals."""
    try:
        known = recorded(state, name)
        if known is None or known.paused:
            return None
        last = _told(state, name).get("checked_at")
        since = last if isinstance(last, int) else known.installed_at
        return check(slurm, state, name, now) if now - since > _SILENT * known.interval else None
    except BusyError:
        return None


def _seen(slurm: Slurm, state: Path, known: Installed, table: str | None) -> Observation:
    found = crontable.parted(table or "", known.name)
    bare = found.block.replace(crontable.DISABLED, "")
    if table is not None and not table.strip():
        block = "empty"
    elif not found.block:
        block = "missing"
    elif found.disabled:
        block = "disabled"
    else:
        block = "whole" if bare == known.block else "changed"
    return Observation(
        block,  # type: ignore[arg-type]
        ask.jobs(slurm, known.jobs),
        known.jobs,
        known.limit_seconds,
        known.interval,
        _last_success(state),
        known.installed_at,
    )


def _act(slurm: Slurm, state: Path, known: Installed, table: str, decision: Decision, now: int) -> None:
    if decision.action == "requeue":
        ask.requeue(slurm, decision.job)
    elif decision.action == "put":
        found = crontable.parted(table, known.name)
        block = found.block.replace(crontable.DISABLED, "") or known.block
        put_table(slurm, state, table, crontable.with_block(table, known.name, block), now)


def _last_success(state: Path) -> int | None:
    """When a run last succeeded, as the runs say, or None where they do not."""
    try:
        last = json.loads((state / STATUS).read_bytes()).get("last_success")
    except (OSError, ValueError, AttributeError):
        return None
    return last if isinstance(last, int) else None


def _memory(state: Path, name: str) -> Memory:
    told = _told(state, name)
    acted, since = told.get("acted"), (told.get("missing_since"), told.get("empty_since"))
    moments = tuple(moment for moment in acted if isinstance(moment, int)) if isinstance(acted, list) else ()
    return Memory(moments, *(moment if isinstance(moment, int) else None for moment in since))


def _told(state: Path, name: str) -> dict[str, object]:
    """What the watchdog wrote down last; a file that is damaged says nothing."""
    try:
        value = json.loads((state / MEMORY.format(name)).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _remember(state: Path, name: str, memory: Memory, decision: Decision, now: int) -> None:
    value = {**asdict(memory), "checked_at": now, "action": decision.action, "why": decision.why}
    try:
        write_atomic(state / MEMORY.format(name), json.dumps(value).encode(), mode=0o600)
    except OSError as error:
        raise LibrarianError(f"the watchdog cannot write to {state}", error.strerror or str(error)) from error


def rotate(log_file: Path) -> None:
    """Begin a new log when one has grown large; the one before it is kept."""
    try:
        if log_file.stat().st_size > _LOG_BYTES:
            log_file.replace(log_file.with_name(f"{log_file.name}.1"))
            make_private(log_file)  # Slurm and cron would make it for all to read
        else:
            close_to_others(log_file)
    except OSError:
        return
