"""The card of one job: what it asked for, held and used, verdict by verdict; as JSON and as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from librarian.shared.calendar import clock
from librarian.shared.text import shown, visible
from librarian.shared.words import amount, counted, lasting, percent
from librarian.subjects.efficiency.ask_job import FAILED, NOT_YOURS, Told
from librarian.subjects.efficiency.asking import slurm_time
from librarian.subjects.efficiency.findings import Finding, findings, is_brief
from librarian.subjects.efficiency.model import GIB, Flag, certain
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.efficiency.placed import Placed, nodes

Json = dict[str, object]
MOST_TEXT = 400  # characters of what was held
MOST_PLACES = 16  # lines on nodes that hold different things
NOT_MEASURED = {
    Flag.NO_STEPS: "accounting has no steps of it any more",
    Flag.NOT_GATHERED: "this cluster gathers nothing of what jobs use",
}
HIDDEN = {
    NOT_YOURS: "not known while it runs: only {0} and administrators are told",
    FAILED: "not known while it runs: sstat failed",
}


def card_json(told: Told, rules: Rules, earlier: Sequence[Told] = ()) -> Json:
    """One object: times are UTC epochs, CPU and GPU time in seconds, memory in bytes; null is unknown.

    `earlier` are the runs of the same job before it was requeued, of which only state and times are told.
    """
    run, use = told.used.run, told.used.use
    return {
        "id": told.id,
        "name": told.name,
        "user": run.user,
        "account": run.account,
        "qos": run.qos,
        "partition": run.partition,
        "state": run.state,
        "exit_code": told.exit_code if told.end is not None else None,
        "reason": None if told.reason in ("", "None") else told.reason,
        "submitted": told.submit,
        "eligible": told.eligible,
        "started": told.start,
        "ended": told.end,
        "waited_seconds": waited(told),
        "elapsed_seconds": run.elapsed,
        "limit_seconds": run.limit,
        "requested": told.requested,
        "allocated": run.alloc_tres,
        "nodes": told.nodes,
        "placed": [
            {
                "nodes": one.nodes,
                "cpu_ids": one.cpus,
                "gpu_ids": one.gpus,
                "memory": one.memory << 20,
                "gres": one.gres,
            }
            for one in told.placed
        ]
        or None,
        "cpu": {
            **_resource(_thousandths(use.cpu), _held(told, "NCPUS"), use.cpu_source),
            "user": _thousandths(use.user),
            "system": _thousandths(use.system),
        },
        "memory": {
            **_resource(use.memory, round(run.held("MEMORY") * GIB) if told.start else None, use.memory_source),
            "peak": use.peak.value if use.peak else None,
        },
        "gpu": {**_resource(_thousandths(use.gpu), _held(told, "NGPUS"), use.gpu_source), "memory": use.gpu_memory},
        "read": use.read,
        "written": use.written,
        "notes": [*sorted(flag.value for flag in use.flags), *([told.hidden] if told.hidden else [])],
        "steps": [
            {
                "name": step.name,
                "started": step.start,
                "ended": step.end,
                "cpu": _thousandths(step.cpu),
                "memory": step.memory,
            }
            for step in told.steps
        ],
        "findings": [
            {"rule": one.rule, "value": one.value, "threshold": one.threshold, "words": one.words, "advice": one.advice}
            for one in found(told, rules)
        ],
        "earlier": [{"state": one.used.run.state, "started": one.start, "ended": one.end} for one in earlier],
    }


def found(told: Told, rules: Rules) -> tuple[Finding, ...]:
    """What is found of the run; nothing of one that goes on, since it may yet use what it holds."""
    return () if told.end is None else findings(told.used, rules)


def waited(told: Told) -> int | None:
    """Seconds from when it could have started to its start; None while it is pending, or where that is not told."""
    if told.start is None or told.eligible is None:
        return None
    return max(0, told.start - told.eligible)


def _held(told: Told, key: str) -> int | None:
    """Unit-seconds that it held so far."""
    run = told.used.run
    return round(run.held(key) * run.seconds(key)) if told.start else None


def _thousandths(value: int | None) -> float | None:
    return None if value is None else value / 1000


def _resource(used: float | None, allocated: int | None, source: object) -> Json:
    share = used / allocated if used is not None and allocated else None
    return {
        "allocated": allocated,
        "used": used,
        "efficiency": share,
        "source": getattr(source, "value", None),
    }


def lines(told: Told, rules: Rules, zone: str, earlier: Sequence[Told] = ()) -> Iterator[str]:
    """The card as lines of text; times on the clock of `zone`."""
    told_rows = rows(told, zone, earlier)
    wide = max(len(name) for name, _ in told_rows)
    yield from (f"{name.ljust(wide)}  {text}".rstrip() for name, text in told_rows)
    for one in found(told, rules):
        yield f"- {one.words} {one.advice}"
    if words := nothing_found(told, rules):
        yield words


def rows(told: Told, zone: str, earlier: Sequence[Told] = ()) -> list[tuple[str, str]]:
    """What the card has line by line: a word, and what it is."""
    return [*_head(told, zone, earlier), *_used(told)]


def nothing_found(told: Told, rules: Rules) -> str:
    """What is said where nothing is found of a run that ended; "" where something is, or where nothing is known."""
    if told.end is None or found(told, rules) or certain(told.used).use.source is None:
        return ""
    return "Too short to be judged." if is_brief(told.used.run, rules) else "Nothing stands out."


def _head(told: Told, zone: str, earlier: Sequence[Told]) -> Iterator[tuple[str, str]]:
    run = told.used.run
    yield "Job", f"{shown(told.id)}  {shown(told.name)}".rstrip()
    yield (
        "User",
        f"{shown(run.user)}, account {shown(run.account)}, QoS {shown(run.qos)}, partition {shown(run.partition)}",
    )
    code = f", exit code {shown(told.exit_code)}" if told.exit_code not in ("", "0:0") else ""
    again = f", run {len(earlier) + 1}" if earlier else ""
    yield "State", f"{shown(run.state)}{code}{again}"
    if told.submit is not None:
        yield "Submitted", clock(told.submit, zone)
    if told.start is None:
        reason = f", {shown(told.reason)}" if told.reason not in ("", "None") else ""
        yield "Pending", f"not started{reason}"
        yield "Requested", visible(told.requested)[:MOST_TEXT]
        return
    wait = waited(told)
    late = "" if wait is None else f", waited {lasting(wait)}"
    yield "Started", clock(told.start, zone) + late
    limit = f" of {slurm_time(run.limit)}, {percent(run.elapsed, run.limit)}" if run.limit else ""
    yield "Elapsed", f"{slurm_time(run.elapsed)}{limit}"
    yield "Nodes", shown(told.nodes)
    for one in told.placed[:MOST_PLACES]:
        yield "", _place(one)
    if len(told.placed) > MOST_PLACES:
        yield "", f"and {counted(len(told.placed) - MOST_PLACES, 'place')} more"
    yield "Allocated", visible(run.alloc_tres)[:MOST_TEXT]


def _place(one: Placed) -> str:
    each = " each" if nodes(one.nodes) > 1 else ""
    parts = [f"CPUs {one.cpus}", f"{amount(one.memory / 1024)} GiB", *([f"GPUs {one.gpus}"] if one.gpus else [])]
    return f"{shown(one.nodes)}: {', '.join(parts)}{each}"


def _used(told: Told) -> Iterator[tuple[str, str]]:
    run, use = told.used.run, told.used.use
    if told.start is None:
        return
    if told.hidden:
        yield "Used", HIDDEN[told.hidden].format(shown(run.user))
        return
    unknown = next((text for flag, text in NOT_MEASURED.items() if flag in use.flags), "not measured")
    yield "CPU", _share(use.cpu, 1000 * (_held(told, "NCPUS") or 0), unknown) + _times(told)
    held = run.held("MEMORY") * GIB
    yield (
        "Memory",
        unknown
        if use.memory is None
        else (
            f"{percent(use.memory, held)} of {amount(held / GIB)} GiB: peak {amount(use.memory / GIB)} GiB"
            f"{f' ({use.peak.value})' if use.peak else ''}"
        ),
    )
    if run.held("NGPUS"):
        yield "GPU", _share(use.gpu, 1000 * (_held(told, "NGPUS") or 0), "not measured")
    if use.read is not None or use.written is not None:
        yield "Disk", f"{_bytes(use.read)} read, {_bytes(use.written)} written"
    flags = sorted(flag.value for flag in use.flags if flag not in NOT_MEASURED)
    if flags:
        yield "Note", "; ".join(flags)


def _share(used: int | None, held: int, unknown: str) -> str:
    return unknown if used is None else f"{percent(used, held)} used" if held else "held for less than a second"


def _times(told: Told) -> str:
    use = told.used.use
    if use.cpu is None:
        return ""
    split = (
        "" if use.user is None or use.system is None else f", {percent(use.system, use.user + use.system)} of it system"
    )
    return f": {lasting(use.cpu / 1000)} of CPU time{split}"


def _bytes(value: int | None) -> str:
    return "not known" if value is None else f"{amount(value / GIB)} GiB"
