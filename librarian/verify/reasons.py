"""Where a difference between Librarian's hours and sreport's may come from, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import pandas as pd

from librarian.errors import LibrarianError
from librarian.shared.spans import Span, Spans
from librarian.shared.text import shown
from librarian.shared.words import counted
from librarian.slurm.command import Slurm
from librarian.subjects.jobs.model import RUNAWAY, UNKNOWN, Mask, in_state, ints
from librarian.verify.compare import TOLERANCE, ByUser, Line

Reasons = Mapping[tuple[str, str], tuple[str, ...]]  # by user and key of the resource

RESIZED = "{jobs} resized: Slurm 22.05 counts the time before a resize twice in sreport"
NO_END = "{jobs} without an end in accounting (runaway): sreport counts them on, Librarian up to when they last lived"
PAUSED = "{jobs} suspended across the edge of these hours: Librarian spreads a pause evenly over the run"
PURGED = "sacct tells less than Librarian has kept: the runs were purged, or its answer is not whole"
LATE = "sacct tells more than Librarian has kept: the runs came late (librarian collect --full)"
RESERVED = "sreport adds the unused time of a reservation to those it was made for ({names})"


def of(differing: Sequence[Line], known: pd.DataFrame, fresh: ByUser, spans: Spans, reserved: str) -> Reasons:
    """What may explain each of the lines.

    `known` are the runs of these `spans` whose hours are compared (a jobs table), `fresh` is what sacct tells of the
    QoS now, `reserved` names the reservations of that time.
    """
    return {(line.user, line.key): tuple(_of(line, known, fresh, spans, reserved)) for line in differing}


def _of(line: Line, known: pd.DataFrame, fresh: ByUser, spans: Spans, reserved: str) -> list[str]:
    mine = known[(known["user"].astype(str) == line.user).to_numpy() & _overlapping(known, spans)]
    found = []
    if line.difference > 0:
        found += _told(RESIZED, in_state(mine, "RESIZING"))
        found += _told(NO_END, in_state(mine, RUNAWAY))
    if line.key == "NCPUS":
        found += _told(PAUSED, _paused_at_edge(mine, spans))
    now = fresh.get(line.user, {}).get(line.key, 0.0)
    found += [PURGED] if now < line.ours * (1 - TOLERANCE) else []
    found += [LATE] if now > line.ours * (1 + TOLERANCE) else []
    if line.difference > 0 and reserved:
        found.append(RESERVED.format(names=reserved))
    return found


def _told(words: str, which: Mask) -> list[str]:
    count = int(which.sum())
    return [words.format(jobs=counted(count, "job"))] if count else []


def _overlapping(jobs: pd.DataFrame, spans: Spans) -> Mask:
    start, end = ints(jobs, "start"), ints(jobs, "end")
    found = start > spans[-1][1]  # none
    for begin, until in spans:
        found |= (start != UNKNOWN) & (start < until) & ((end == UNKNOWN) | (end > begin))
    return found


def _paused_at_edge(jobs: pd.DataFrame, spans: Spans) -> Mask:
    start, end = ints(jobs, "start"), ints(jobs, "end")
    found = start > spans[-1][1]
    for edge in {edge for span in spans for edge in span}:
        found |= (start < edge) & ((end == UNKNOWN) | (end > edge))
    return found & (ints(jobs, "suspended") > 0)


def reserved(slurm: Slurm, cluster: str, span: Span) -> str:
    """The names of the reservations of that time; "" where there were none, or Slurm does not tell."""
    begin, end = (datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") for epoch in span)
    question = ("-n", "-P", "show", "reservation", f"cluster={cluster}", f"start={begin}", f"end={end}", "format=Name")
    try:
        names = slurm.run("sacctmgr", question).text.splitlines()
    except LibrarianError:
        return ""
    return ", ".join(shown(name) for name in sorted(set(names))[:5] if name)
