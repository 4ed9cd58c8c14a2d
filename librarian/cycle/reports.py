"""From the store to reports: read what is known of each QoS, rename it, build the sections.

Each subject fails alone: what it would have told is missing from the report, which says so. Where one fails that the
others stand on, the QoS as a whole is as it was.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from librarian.cycle.meter import Meter
from librarian.errors import LibrarianError, SiteError, StoreError, TooSlowError, Trouble, one_line
from librarian.privacy.pseudonyms import PublicNames
from librarian.privacy.renaming import Gathering, names_in, renamed
from librarian.shared import crowd, palette
from librarian.shared.crowd import OTHERS, Others, Standing, free_name
from librarian.shared.names import AccountName, UserName
from librarian.shared.report import Header, Report, Section, Staleness
from librarian.shared.window import Window
from librarian.store import CorruptStoreError, Store
from librarian.subjects.subject import Facts, Ground, Reading, Subject, Watched

Result = TypeVar("Result")
NOT_KNOWN = "not known now, since computing it failed"
OLD_PICTURES = "older than the numbers, since drawing them failed"
NO_PICTURES = "missing, since drawing them failed"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is known of one QoS, by real names: nothing where it was never collected, or where a subject that others
    stand on failed; then `reason` is why. `failed` says why others failed, by key.

    Where `others` are told of as one, `everybody` has the facts of each.
    """

    watched: Watched
    staleness: Staleness
    reason: Trouble
    window: Window | None = None
    facts: Facts | None = None
    failed: Mapping[str, str] | None = None
    others: Others | None = None
    everybody: Facts | None = None


class Failures:
    """What fails of single subjects, for the report and for whoever started the run; `meter` measures what they do."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.problems: list[LibrarianError] = []
        self.meter = meter or Meter()

    def alone(self, subject: Subject, qos: str, work: Callable[[], Result], store: Store | None = None) -> Result | str:
        """What `work` gives, or why it failed, in words that readers may see. Raises the error of a `store` that is
        damaged, and that time is up."""
        try:
            with self.meter.subject(subject.key):
                return work()
        except (CorruptStoreError, TooSlowError):
            raise
        except Exception as error:
            if store:
                store.refuse_damage()
            return self.note(subject, qos, error)

    def note(self, subject: Subject, qos: str, error: Exception) -> str:
        """Note what failed; returns it in words that readers may see, which say nothing of what the error does."""
        log.debug("%s of %s failed", subject.key, qos, exc_info=error)
        why = str(error) if isinstance(error, LibrarianError) else f"{type(error).__name__}: {error}"
        kind = StoreError if isinstance(error, StoreError) else SiteError
        self.problems.append(kind(f"QoS {qos}: {subject.key} could not be told", one_line(why)))
        return NOT_KNOWN

    def note_undrawn(self, qos: str, failed: Mapping[str, Exception]) -> None:
        """Note why pictures could not be drawn, by the key of the subject: what is broken for all is told once."""
        by_words: dict[str, list[str]] = {}
        for key, error in failed.items():
            log.debug("the pictures of %s of %s failed", key, qos, exc_info=error)
            by_words.setdefault(f"{type(error).__name__}: {error}", []).append(key)
        for words, keys in by_words.items():
            what = f"QoS {qos}: the pictures of {', '.join(keys)} could not be drawn"
            self.problems.append(SiteError(what, one_line(words)))


def read_all(
    store: Store,
    watched: Sequence[Watched],
    subjects: Sequence[Subject],
    window_of: Callable[[int], Window],
    reader: str,
    options: Mapping[str, Any],
    failures: Failures,
) -> list[Known]:
    """What is known of each QoS, in the order of `watched`. Raises `StoreError` when the store is damaged."""
    known = [_read(store, one, subjects, window_of, reader, options, failures) for one in watched]
    for subject in subjects:
        every = {one.watched.name: one.facts for one in known if one.facts}
        work = functools.partial(subject.together, store, every, options)
        together = failures.alone(subject, "all", work, store)
        if isinstance(together, str):
            known = [_without(one, subject, together) for one in known]
        else:
            for name, facts in together.items():
                every[name].by_key[subject.key] = facts
    return known


def _without(known: Known, subject: Subject, why: str) -> Known:
    """The same without what a subject has told, since that is not all of it."""
    if known.facts is None or subject.key not in known.facts.by_key:
        return known
    if subject.needed:
        return replace(known, reason=Trouble.NOT_COMPUTED, window=None, facts=None)
    facts = Facts({key: value for key, value in known.facts.by_key.items() if key != subject.key})
    return replace(known, facts=facts, failed={**(known.failed or {}), subject.key: why})


def _ground(store: Store, watched: Watched, subjects: Sequence[Subject]) -> Ground:
    grounds = (subject.ground(store, watched) for subject in subjects)
    return next((ground for ground in grounds if ground), Ground(None, Staleness(), Trouble.NOTHING_YET))


def _read(
    store: Store,
    watched: Watched,
    subjects: Sequence[Subject],
    window_of: Callable[[int], Window],
    reader: str,
    options: Mapping[str, Any],
    failures: Failures,
) -> Known:
    ground = _ground(store, watched, subjects)
    if ground.as_of is None:
        return Known(watched, ground.staleness, ground.reason)
    failed: dict[str, str] = {}
    reading = Reading(store, watched, window_of(ground.as_of), reader=reader, options=options)
    for subject in subjects:
        facts = failures.alone(subject, watched.name, functools.partial(subject.read, reading), store)
        if isinstance(facts, str):
            failed[subject.key] = facts
            if subject.needed:
                return Known(watched, ground.staleness, Trouble.NOT_COMPUTED)
        elif facts is not None:
            reading.facts.by_key[subject.key] = facts
    return Known(watched, ground.staleness, ground.reason, reading.window, reading.facts, failed)


def weights(known: Sequence[Known], subjects: Sequence[Subject]) -> dict[UserName, float]:
    """The largest share (0 to 1) of each user of anything, in any QoS."""
    found: dict[UserName, float] = {}
    for facts in (one.facts for one in known if one.facts):
        for subject in subjects:
            for user, share in subject.weights(facts).items() if subject.key in facts.by_key else ():
                found[user] = max(found.get(user, 0.0), share)
    return found


def people(known: Sequence[Known]) -> set[str]:
    """All users that occur in what is known."""
    return names_in(value for one in known if one.facts for value in one.facts.by_key.values())[UserName]


def public(known: Known, names: PublicNames) -> Known:
    """The same by the names that readers see."""
    if known.facts is None:
        return known
    shows = names.rules.accounts
    accounts = names_in(known.facts.by_key.values(), shows_accounts=shows)[AccountName]
    renaming = names.renaming(accounts)
    facts = Facts({key: renamed(value, renaming) for key, value in known.facts.by_key.items()})
    return replace(known, facts=facts)


def gathered(every: Sequence[Known], subjects: Sequence[Subject], names: PublicNames) -> list[Known]:
    """The same by public names, of which those are put together who have no row: see `shared.crowd`. They join those
    whom [privacy] has as others."""
    standings = [_standing(one, subjects) for one in every]
    taken = {user for standing in standings for users in standing.values() for user in users}
    joined = {shown for real, shown in names.names.items() if real != shown and shown.rstrip("*") == OTHERS}
    name = UserName(min(joined)) if joined else free_name(taken)
    return [_gathered(one, standing, name) for one, standing in zip(every, standings, strict=True)]


def _standing(known: Known, subjects: Sequence[Subject]) -> Standing:
    facts = known.facts or Facts()
    found: dict[str, Mapping[UserName, float]] = {}
    for subject in (subject for subject in subjects if subject.key in facts.by_key):
        found |= subject.standing(facts)
    return found


def _gathered(known: Known, standing: Standing, name: UserName) -> Known:
    shown = crowd.named(standing)
    if known.facts is None or shown is None:
        return known
    renaming = Gathering(shown=shown - {name}, others=name)
    facts = Facts({key: renamed(value, renaming) for key, value in known.facts.by_key.items()})
    others = crowd.others_of(standing, renaming.shown, name)
    return replace(known, facts=facts, others=others, everybody=known.facts)


def build(known: Known, header: Header, subjects: Sequence[Subject], failures: Failures) -> Report | None:
    """The report on what is known of a QoS, without colours; None where there is nothing to show."""
    if known.facts is None or known.window is None:
        return None
    sections: dict[str, Section] = {}
    failed = dict(known.failed or {})
    facts, qos = known.facts, known.watched.name
    for subject in subjects:
        if subject.key not in facts.by_key:
            continue
        report = Report(header, known.window, known.staleness, dict(sections), others=known.others)
        section = failures.alone(subject, qos, lambda subject=subject, report=report: subject.build(facts, report))  # type: ignore[misc]
        if isinstance(section, str):
            failed[subject.key] = section
            if subject.needed:
                return None
        elif section is not None:
            sections[subject.key] = section
    return Report(header, known.window, known.staleness, sections, failed, others=known.others)


def coloured(reports: Sequence[Report], by_weight: Mapping[UserName, float]) -> list[Report]:
    """The reports with a colour for each user, the same in all: those with the largest shares are told apart first."""
    many = {report.others.name for report in reports if report.others}
    ranked = sorted(by_weight.keys() - many, key=lambda user: (-by_weight[user], user))
    others = sorted({user for report in reports for user in report.everybody} - set(ranked) - many)
    colours = {UserName(user): colour for user, colour in palette.assign([*ranked, *others]).items()}
    colours |= dict.fromkeys(many, palette.OTHERS)
    return [replace(report, colours=colours) for report in reports]
