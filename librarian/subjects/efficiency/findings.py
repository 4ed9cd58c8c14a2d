"""What is found of one run, in plain words: the rule, the value, the threshold, and what to write instead. Pure.

Thresholds are keys of `[efficiency]`, and 0 switches a rule off; their defaults are those of the field's tools (seff,
jobstats, job_defense_shield, OzSTAR's job monitor). What is not known finds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from librarian.shared.tres import parse_tres
from librarian.shared.words import counted, lasting, percent
from librarian.subjects.efficiency.asking import memory_option, memory_to_ask, slurm_time, time_to_ask
from librarian.subjects.efficiency.model import GIB, Run, UsedRun, certain
from librarian.subjects.efficiency.options import Rules

OUT_OF_MEMORY, TIMEOUT, COMPLETED = "OUT_OF_MEMORY", "TIMEOUT", "COMPLETED"
SERIAL = (0.85, 1.01)
"""A job that keeps this many of its CPUs busy runs on one; jobstats has the same bounds."""


@dataclass(frozen=True)
class Finding:
    """One thing found: by which `rule`, the `value` and the `threshold` that it missed (None: the rule has none), in
    words, and what to write instead."""

    rule: str
    value: float
    threshold: float | None
    words: str
    advice: str


def findings(used: UsedRun, rules: Rules) -> tuple[Finding, ...]:
    """All that is found of a run, the gravest first; empty where nothing is wrong, or nothing known for certain."""
    known = certain(used)
    return tuple(found for rule in RULES for found in rule(known, rules))


def _out_of_memory(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run = used.run
    if run.state != OUT_OF_MEMORY:
        return
    held = run.held("MEMORY")
    known = f" It held {_gib(held)}." if held else ""
    more = memory_to_ask(max(held * GIB, used.use.memory or 0)) if held else None
    option = f" Try {memory_option(more)}." if more is not None and nodes(run) == 1 else ""
    yield Finding(
        "out-of-memory",
        _share(used.use.memory, held * GIB),
        None,
        f"The job ran out of memory and was killed.{known}",
        f"Ask for more memory.{option}",
    )


def _timed_out(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run = used.run
    if run.state != TIMEOUT:
        return
    limit = f" of {slurm_time(run.limit)}" if run.limit else ""
    yield Finding(
        "time-out",
        run.elapsed / run.limit if run.limit else 1.0,
        None,
        f"The job reached its time limit{limit} and was killed.",
        "Ask for a longer --time, or let the job save its state and continue in the next one.",
    )


def _gpus(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run, busy = used.run, used.use.gpu
    held = run.held("NGPUS")
    whole = 1000 * held * run.seconds("NGPUS")
    if busy is None or not whole or is_brief(run, rules):
        return
    share = busy / whole
    if busy == 0 and rules.gpu_below:
        words = f"{_whose(held, 'GPU')} never used."
        yield Finding("gpu-idle", 0.0, rules.gpu_below, words, "Request no GPU, or see why the program did not use it.")
    elif share < rules.gpu_below:
        words = f"Of {counted(held, 'GPU')}, {percent(busy, whole)} of the time was used."
        advice = "Ask for fewer GPUs, or find what keeps them waiting: often reading data, or too small batches."
        yield Finding("gpu-low", share, rules.gpu_below, words, advice)


def _whose(held: float, thing: str) -> str:
    return f"The {thing} was" if held == 1 else f"The {counted(held, thing)} were"


def _cpus(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run, spent = used.run, used.use.cpu
    held, seconds = run.held("NCPUS"), run.seconds("NCPUS")
    if spent is None or not held or not seconds or is_brief(run, rules):
        return
    busy = spent / 1000 / seconds
    share = busy / held
    if share >= rules.cpu_below or held <= 1:
        return
    if SERIAL[0] <= busy <= SERIAL[1]:
        words = f"One of {counted(held, 'CPU')} was busy: the program ran on a single CPU."
        advice = "Ask for one CPU (--ntasks=1 --cpus-per-task=1), unless the program can be told to use more."
        yield Finding("serial", share, rules.cpu_below, words, advice)
        return
    enough = max(1, math.ceil(busy))
    words = f"Of {counted(held, 'CPU')}, {percent(busy, held)} were busy on average."
    less = f"Ask for {counted(enough, 'CPU')}" if enough < held else "Ask for fewer CPUs"
    yield Finding("cpu-low", share, rules.cpu_below, words, f"{less}, or see what the program waits for.")


def _memory(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run, peak = used.run, used.use.memory
    held, gpus = run.held("MEMORY"), run.held("NGPUS")
    if peak is None or held < rules.min_memory_gib or run.state == OUT_OF_MEMORY or is_brief(run, rules):
        return
    if gpus and held <= rules.gpu_memory_gib * gpus:
        return
    share = peak / (held * GIB)
    if share >= rules.memory_below:
        return
    ask = memory_to_ask(peak)
    option = f" {memory_option(ask)} would have been enough." if nodes(run) == 1 and ask < held else ""
    words = f"At most {_gib(peak / GIB)} of {_gib(held)} of memory were used."
    yield Finding("memory-low", share, rules.memory_below, words, f"Ask for less memory.{option}")


def _time(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run = used.run
    if run.state != COMPLETED or not run.limit or is_brief(run, rules):
        return
    lasted = run.end - run.start
    share = lasted / run.limit
    ask = time_to_ask(lasted)
    if share >= rules.time_below or ask >= run.limit:
        return
    words = f"The job took {lasting(lasted)} of the {lasting(run.limit)} it asked for."
    advice = f"A shorter limit lets a job start earlier: --time={slurm_time(ask)} would have been enough."
    yield Finding("time-low", share, rules.time_below, words, advice)


def _short(used: UsedRun, rules: Rules) -> Iterator[Finding]:
    run = used.run
    if run.state != COMPLETED or run.elapsed >= rules.short_seconds:
        return
    words = f"The job took {lasting(run.elapsed)}: starting it took Slurm about as long."
    yield Finding("short", run.elapsed, rules.short_seconds, words, "Do the work of several such jobs in one.")


RULES: Sequence[Callable[[UsedRun, Rules], Iterator[Finding]]] = (
    *(_out_of_memory, _timed_out, _gpus, _cpus, _memory, _time, _short),
)


def nodes(run: Run) -> int:
    """On how many nodes it ran; 1 where Slurm does not tell."""
    return int(parse_tres(run.alloc_tres).get("node", 1)) or 1


def failed_in_a_row(states: Sequence[str], failures: Sequence[str]) -> int:
    """How many of a user's runs, the newest last, failed one after the other up to the newest."""
    found = 0
    for state in reversed(states):
        if state not in failures:
            break
        found += 1
    return found


def is_brief(run: Run, rules: Rules) -> bool:
    """Whether a run is too short to say how well it used what it held."""
    return run.elapsed < 60 * rules.min_minutes


def _share(part: float | None, whole: float) -> float:
    return part / whole if part is not None and whole else 1.0


def _gib(value: float) -> str:
    return counted(value, "GiB", "GiB")
