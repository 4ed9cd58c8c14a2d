"""One run is one pass: collect, render, publish. Each subject, each QoS and each publisher fails alone.

Every stage can be run by itself and leaves something on disk: the store, the site folder, the published copies. What
fails is returned, not raised, so that the stages after it go on with what there is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from librarian.config.setup import Setup
from librarian.cycle import assemble, housekeeping, journal, reports, ruling
from librarian.cycle.assemble import SiteSource
from librarian.cycle.meter import Meter
from librarian.cycle.parts import post, rules_file, status_file, watched
from librarian.cycle.reports import Failures, Known
from librarian.errors import (
    LibrarianError,
    NoAnswerError,
    PublishError,
    SiteError,
    SlurmError,
    StoreError,
    TooSlowError,
)
from librarian.health import alerts
from librarian.privacy import leak_check, pseudonyms
from librarian.privacy.rules import Rules
from librarian.publish import delivery
from librarian.publish.delivery import Check
from librarian.shared.calendar import DAY
from librarian.shared.files import SCRIPT, STATUS, STYLE, logo_name
from librarian.shared.report import Header
from librarian.shared.scope import Watched
from librarian.shared.window import Window, window_until
from librarian.site import assets, folder
from librarian.slurm.command import Slurm
from librarian.store import CorruptStoreError, Store, opened, rescue
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.subject import Asking, Subject
from librarian.system.host import pause, stopwatch, user_name
from librarian.system.interrupts import Guard

Problems = list[LibrarianError]
Result = TypeVar("Result")
log = logging.getLogger(__name__)


def run(setup: Setup, slurm: Slurm, now: int, guard: Guard | None = None) -> Problems:
    """Collect, render and publish at `now`; returns what failed. Raises `LibrarianError` when nothing could go on.

    `guard` keeps the stages within their limits. However it ends, the status tells of it.
    """
    meter = Meter()
    slurm = replace(slurm, told=meter.command)
    try:
        with journal.Journal(setup, now, guard, meter).whole() as account:
            problems = account.stage("collect", lambda: collect_all(setup, slurm, now, meter=meter))
            problems += account.stage("render", lambda: render(setup, now, meter))
            if setup.config.publish:
                problems += account.stage("publish", lambda: publish(setup, now))
            if setup.config.rules or rules_file(setup).path.exists():  # what is left of some has to end
                problems += account.stage("rules", lambda: ruling.rule(setup, now))
            housekeeping.tidy(setup, now)
            housekeeping.copy(setup, now)
    except Exception:
        alerts.check(setup.config.alert, status_file(setup), now, setup.config.head, post(setup))
        raise
    alerts.check(setup.config.alert, status_file(setup), now, setup.config.head, post(setup))
    return problems


# collect


def collect_all(setup: Setup, slurm: Slurm, now: int, *, full: bool = False, meter: Meter | None = None) -> Problems:
    """Bring the store up to `now`; returns what failed, a question at a time.

    Where nobody answered (slurmdbd restarts), those subjects ask once more after a pause, if that was soon told.
    """
    began, options, measured = stopwatch(), setup.config.run, meter or Meter()

    def ask(subject: Subject, asking: Asking) -> Problems:
        with measured.subject(subject.key):
            return _ask(subject, asking)

    def work(store: Store) -> Problems:
        asking = _asking(setup, slurm, store, now, full)
        problems = {subject.key: ask(subject, asking) for subject in SUBJECTS}
        silent = [one for one in SUBJECTS if _nobody(problems[one.key]) or one.key in asking.skipped]
        if silent and options.retry_seconds and stopwatch() - began < options.collect_seconds / 4:
            log.info("nobody answers; all is asked again in %d s", options.retry_seconds)
            pause(options.retry_seconds)
            asking = _asking(setup, slurm, store, now, full)
            problems |= {subject.key: ask(subject, asking) for subject in silent}
        journal.note_qos(setup, journal.qos_statuses(store, asking.watched, now))
        return [problem for found in problems.values() for problem in found]

    return _with_store(setup, now, work)


def _ask(subject: Subject, asking: Asking) -> Problems:
    """One subject's questions; what fails of them stops no other subject's. Raises `StoreError`."""
    try:
        return subject.collect(asking)
    except (StoreError, TooSlowError):
        raise
    except LibrarianError as error:
        return [error]
    except Exception as error:
        asking.store.refuse_damage()
        log.debug("asking for %s failed", subject.key, exc_info=True)
        return [SlurmError(f"asking for {subject.key} failed", f"{type(error).__name__}: {error}")]


def _nobody(problems: Problems) -> bool:
    return any(isinstance(problem, NoAnswerError) for problem in problems)


def _asking(setup: Setup, slurm: Slurm, store: Store, now: int, full: bool) -> Asking:
    options = setup.config.report
    name, begin = setup.config.cluster.name, now - options.window_days * DAY
    return Asking(slurm, store, now, name, watched(setup), begin, full, options.count_runaways, _options(setup))


def _options(setup: Setup) -> Mapping[str, Any]:
    """What the configuration says to subjects, by their keys."""
    return {
        "allocations": setup.config.allocations,
        "efficiency": setup.config.efficiency,
        "jobs": setup.config.privacy.jobs,
    }


def observe(setup: Setup, slurm: Slurm, now: int) -> Problems:
    """Ask for what has no history at Slurm, such as limits, and keep what changed; returns what failed."""

    def work(store: Store) -> Problems:
        asking = _asking(setup, slurm, store, now, False)
        return [problem for subject in SUBJECTS if subject.fleeting for problem in _ask(subject, asking)]

    return _with_store(setup, now, work)


def _with_store(setup: Setup, now: int, work: Callable[[Store], Result]) -> Result:
    """`work` on the store; a damaged one is set aside, and the work begins again on the newest copy, or on an empty
    one."""
    try:
        with opened(setup.places.store, setup.config.cluster.name) as store:
            return work(store)
    except CorruptStoreError as error:
        log.warning("%s; %s", error, rescue(setup.places.store, setup.config.cluster.name, now))
    with opened(setup.places.store, setup.config.cluster.name) as store:
        return work(store)


# render


def render(setup: Setup, now: int, meter: Meter | None = None) -> Problems:
    """Write the site from the store; returns what failed.

    A QoS that has nothing to show, or whose pictures fail, keeps the files of the last site, marked as old. Raises
    `LibrarianError` when the store cannot be read or the site not written.
    """
    failures = Failures(meter)

    def work(store: Store) -> tuple[list[Known], set[str]]:
        failures.problems.clear()
        told = {str(name) for subject in SUBJECTS for name in subject.people(store)}
        return _read(setup, store, failures), told

    known, people = _with_store(setup, now, work)
    shares, people = reports.weights(known, SUBJECTS), people | reports.people(known)
    names = pseudonyms.choose(setup.config.privacy, shares, people, setup.places.state, user_name())
    carry = pseudonyms.keep(setup.places.state, names)
    file = status_file(setup)
    more = {STATUS: journal.public(setup, file.stamped(file.read()))}
    known = [reports.public(one, names) for one in known]
    sources = _sources(setup, reports.gathered(known, SUBJECTS, names), failures)
    del known  # arrays of all users and bins, of which some are needed no more
    problems = assemble.write_site(setup, sources, SUBJECTS, now, carry=carry, more=more, meter=meter)
    try:
        pseudonyms.shown(setup.places.state, names)
    except StoreError as error:
        log.warning("%s; the next site keeps no file of this one", error)
    return failures.problems + problems


def _read(setup: Setup, store: Store, failures: Failures) -> list[Known]:
    def window(as_of: int) -> Window:
        return window_of(setup, as_of)

    return reports.read_all(store, watched(setup), SUBJECTS, window, user_name(), _options(setup), failures)


def _sources(setup: Setup, known: Sequence[Known], failures: Failures) -> list[SiteSource]:
    """The reports on what is known, with the same colours in all."""
    shares = reports.weights(known, SUBJECTS)
    made = [reports.build(one, _header(setup, one.watched), SUBJECTS, failures) for one in known]
    coloured = iter(reports.coloured([report for report in made if report], shares))
    return [
        SiteSource(one.watched, next(coloured) if report else None, one.reason, one.everybody or one.facts)
        for one, report in zip(known, made, strict=True)
    ]


def _header(setup: Setup, one: Watched) -> Header:
    options, cluster = setup.config.report, setup.config.cluster.name
    return Header(
        one.name, one.title, cluster, setup.zone, options.refresh_seconds, options.top_users, setup.config.head.title
    )


def look(setup: Setup) -> list[SiteSource]:
    """What the store holds of each configured QoS, by real names. Raises `StoreError`."""
    with opened(setup.places.store, setup.config.cluster.name) as store:
        failures = Failures()
        return _sources(setup, _read(setup, store, failures), failures)


def window_of(setup: Setup, now: int) -> Window:
    """The configured window up to `now`."""
    options = setup.config.report
    return window_until(now, seconds=options.window_days * DAY, bin_seconds=options.bin_seconds, zone=setup.zone)


# publish


def publish(setup: Setup, now: int, checks: Sequence[Check] = ()) -> Problems:
    """Take the site to every configured publisher; returns what failed, and keeps how each fared.

    Nothing leaves that readers must not see. `checks` too look at the whole site before anything leaves; one that
    raises stops every publisher.
    """
    if not setup.config.publish:
        return []
    if not folder.is_site(setup.places.site):
        return [SiteError(f"there is no site in {setup.places.site}", todo="run: librarian run")]
    to, problems = delivery.senders(setup.config.publish, setup.places.base, setup.places.scratch)
    every = [lambda _: look_through(setup), *checks]
    rules, known = setup.config.privacy.digest, delivery.read(setup.places.deliveries)
    at_once = delivery.shows_more(known, rules)
    outcomes, failures = delivery.deliver(to, setup.places.site, now, every, at_once)
    delivery.keep(setup.places.deliveries, outcomes, now, rules)
    return problems + failures


def look_through(setup: Setup) -> None:
    """The last look at the whole site. Raises `LibrarianError` when it may show what [privacy] keeps back."""
    rules = setup.config.privacy
    mask = pseudonyms.kept(setup.places.state, rules)
    if mask is None or mask.rules != rules:
        if mask is None and rules == Rules():
            return
        raise PublishError("the site was made under other rules of [privacy]", todo="run: librarian render")
    head = setup.config.head
    shown = [
        setup.config.cluster.name,
        head.title,
        head.homepage,
        *(text for entry in setup.config.qos for text in (entry.name, entry.title)),
    ]
    public = [*assets.templates().values(), *shown]
    foreign = frozenset({assets.plotly().file_name, logo_name(head.logo), SCRIPT, STYLE})
    leak_check.check(folder.files_of(setup.places.site).values(), mask.secret, public, foreign)
