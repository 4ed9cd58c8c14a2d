"""A member's digest in words: short enough for a phone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from librarian.digests.document import Document, Frame, Item, Part
from librarian.digests.model import Member, Members, Wait
from librarian.errors import one_line
from librarian.shared.resources import WANTED, Observable, by_key
from librarian.shared.text import visible
from librarian.shared.words import amount, counted, lasting, percent
from librarian.subjects.efficiency.asking import Evidence, in_words
from librarian.subjects.efficiency.costs import Costly
from librarian.subjects.usage.totals import FAILED

MOST_FOUND, MOST_SHAPES = 3, 2
NOTABLE_WAIT = 600  # seconds; nobody is told of shorter ones
Told = Callable[[str], bool]
"""Whether the user was told of something lately, by its key."""

_CAUSES: Mapping[str, tuple[str, str]] = {
    "TIMEOUT": ("reached its time limit", "reached their time limit"),
    "OUT_OF_MEMORY": ("ran out of memory", "ran out of memory"),
    "FAILED": ("ended with an error of its own", "ended with an error of their own"),
    "NODE_FAIL": ("was lost with a node", "were lost with a node"),
    "BOOT_FAIL": ("had a node that did not start", "had a node that did not start"),
    "DEADLINE": ("missed its deadline", "missed their deadline"),
}


def causes(failed: Mapping[str, int]) -> tuple[Item, ...]:
    """How many jobs failed of what, by their states; most first."""
    rows = sorted(((state, runs) for state, runs in failed.items() if runs), key=lambda row: (-row[1], row[0]))
    return tuple(Item(f"{amount(runs)} {_CAUSES[state][runs > 1]}") for state, runs in rows)


def digest(one: Member, all_of: Members, frame: Frame, told: Told) -> Document | None:
    """What this member is told; None where there is nothing to say. What they were told lately is left out."""
    if one.is_silent:
        return None
    period = all_of.period
    found = [costly for costly in one.found if not told(_key(costly))][:MOST_FOUND]
    shapes = [shape for shape in one.shapes if not told(_shape_key(shape))][:MOST_SHAPES]
    parts = (
        _use(one, all_of),
        Part("What cost most", items=tuple(map(_item, found))),
        Part("Ask for less next time", items=tuple(map(_ask, shapes))),
        _failures(one),
        Part("Longest waits", items=tuple(_waits(one))),
        Part("Not known", sentences=tuple(_unknown(all_of))),
    )
    return Document(
        _subject(one, all_of, len(found), frame),
        f"Your {period.kind}, {period.title}",
        tuple(part for part in parts if not part.is_empty),
        frame.foot(),
        (*map(_key, found), *map(_shape_key, shapes)),
    )


def _key(costly: Costly) -> str:
    return f"{costly.rule}:{costly.resource}"


def _shape_key(found: Evidence) -> str:
    shape = found.shape
    return f"ask:{shape.partition}:{shape.cpus:g}:{shape.gpus:g}:{shape.memory:g}:{shape.nodes}"


def _subject(one: Member, all_of: Members, found: int, frame: Frame) -> str:
    most = next((o for o in (by_key("NGPUS"), by_key("NCPUS")) if one.held.get(o.key)), None)
    held = f"{amount(one.held[most.key])} {most.hours}" if most else counted(sum(one.ended.values()), "job")
    more = f", {counted(found, 'thing')} to change" if found else ""
    return f"Your {all_of.period.kind} on {frame.cluster}, {all_of.period.title}: {held}{more}"


def _use(one: Member, all_of: Members) -> Part:
    kind, times = all_of.period.kind, len(all_of.period.before)
    rows = [_row(one, o) for o in WANTED if one.held.get(o.key)]
    head = ("", "held", f"usual {kind}", "used")
    jobs = sum(one.ended.values())
    sentences = [f"{counted(jobs, 'job')} of yours ended."] if jobs else []
    if rows:
        sentences.append(
            f"Usual is the mean of the {times} {kind}s before. Used is a share of what your jobs that ended held, as "
            "far as it was measured."
        )
    return Part("Held and used", head if rows else (), tuple(rows), tuple(sentences))


def _row(one: Member, observable: Observable) -> tuple[str, ...]:
    key = observable.key
    known = [before.get(key, 0.0) for before in one.before if before is not None]
    usual = amount(sum(known) / len(known)) if known and len(known) == len(one.before) else "not known"
    hours = one.used.get(key)
    used = percent(hours.used, hours.measured) if hours and hours.measured else "not known"
    return observable.hours, amount(one.held.get(key, 0.0)), usual, used


def _item(costly: Costly) -> Item:
    unit = by_key(costly.resource).hours
    lost = "held by jobs that were killed" if costly.killed else "unused"
    words = f"{amount(costly.hours)} {unit} {lost}, in {counted(costly.runs, 'job')}. The worst, job {costly.worst}: "
    return Item(words + costly.words, costly.advice)


def _ask(found: Evidence) -> Item:
    shape = found.shape
    size = [counted(shape.cpus, "CPU")] if shape.cpus else []
    size += [counted(shape.gpus, "GPU")] if shape.gpus else []
    size += [f"{amount(shape.memory)} GiB"] if shape.memory else []
    what, _, wish = in_words(found).partition(". ")
    return Item(f"{', '.join(size)} in {one_line(visible(shape.partition), 40)}: {what}.", wish)


def _failures(one: Member) -> Part:
    failed = [(state, one.ended[state]) for state in FAILED if one.ended.get(state)]
    if not failed:
        return Part("")
    total, ended = sum(runs for _, runs in failed), sum(one.ended.values())
    return Part(f"{amount(total)} of {counted(ended, 'job')} failed", items=causes(dict(failed)))


def _waits(one: Member) -> Iterator[Item]:
    for wait in one.waiting:
        if wait.seconds >= NOTABLE_WAIT:
            job = one_line(visible(wait.job), 60)
            yield Item(f"Job {job} has waited {lasting(wait.seconds)}: {wait.reason}", wait.todo)
    for wait in one.waited:
        if wait.seconds >= NOTABLE_WAIT:
            yield Item(f"Job {wait.job} waited {lasting(wait.seconds)} for room or priority{_earlier(wait)}.")


def _earlier(wait: Wait) -> str:
    if wait.earlier < NOTABLE_WAIT:
        return ""
    return f", after {lasting(wait.earlier)} in which it could not start: a dependency, a begin time, or held"


def _unknown(all_of: Members) -> Iterator[str]:
    if not all_of.whole:
        yield f"Of a part of this {all_of.period.kind} the hours are not known, so there may have been more."
    if not all_of.use_whole:
        yield "Of a part of the jobs it is not known what they used, so nothing found is no praise."
