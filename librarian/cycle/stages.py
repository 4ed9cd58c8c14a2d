"""One run is one pass: collect, render, publish. Each QoS and each publisher fails alone.

Every stage can be run by itself and leaves something on disk: the store, the site folder, the published copies. What
fails is returned, not raised, so that the stages after it go on with what there is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from librarian.config import Qos
from librarian.config.setup import Places, Setup
from librarian.cycle import assemble, bins, history, housekeeping, journal
from librarian.cycle.report import Collected, Staleness, limits_in
from librarian.errors import LibrarianError, NoAnswerError, PublishError, SiteError, StoreError
from librarian.health import alerts, statusfile
from librarian.privacy import leak_check, pseudonyms
from librarian.privacy.pseudonyms import Disguise
from librarian.privacy.rules import Rules
from librarian.publish import delivery
from librarian.publish.delivery import Check
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, Window, window_until
from librarian.site import folder
from librarian.slurm.command import Slurm
from librarian.store import CorruptStoreError, Store, opened, set_aside
from librarian.subjects.jobs import collect
from librarian.subjects.jobs.collect import Request
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import counting, empty_jobs
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.months.allocation import Pace
from librarian.subjects.queue import sample
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.usage.bins import Histories, Tally
from librarian.system.host import pause, stopwatch, user_name
from librarian.system.interrupts import Guard

Problems = list[LibrarianError]
Result = TypeVar("Result")
log = logging.getLogger(__name__)


def run(setup: Setup, slurm: Slurm, now: int, guard: Guard | None = None) -> Problems:
    """Collect, render and publish at `now`; returns what failed. Raises `LibrarianError` when nothing could go on.

    `guard` keeps the stages within their limits. However it ends, the status tells of it.
    """
    try:
        with journal.Journal(setup, now, guard).whole() as account:
            problems = account.stage("collect", lambda: collect_all(setup, slurm, now))
            problems += account.stage("render", lambda: render(setup, now))
            if setup.config.publish:
                problems += account.stage("publish", lambda: publish(setup, now))
            housekeeping.tidy(setup, now)
    except Exception:
        alerts.check(setup, now)
        raise
    alerts.check(setup, now)
    return problems


# collect


def collect_all(setup: Setup, slurm: Slurm, now: int, *, full: bool = False) -> Problems:
    """Bring the store up to `now`; returns what failed, a QoS at a time.

    Where nobody answered (slurmdbd restarts), all is asked once more after a pause, if that was soon told.
    """
    began, options = stopwatch(), setup.config.run

    def work(store: Store) -> Problems:
        problems = _ask_all(setup, slurm, store, now, full)
        soon = stopwatch() - began < options.collect_seconds / 4
        if options.retry_seconds and soon and any(isinstance(problem, NoAnswerError) for problem in problems):
            log.info("nobody answers; all is asked again in %d s", options.retry_seconds)
            pause(options.retry_seconds)
            problems = _ask_all(setup, slurm, store, now, full)
        journal.note_qos(setup, [journal.qos_status(store, scope(entry), now) for entry in setup.config.qos])
        scopes = [scope(entry) for entry in setup.config.qos]
        sample.look(slurm, store, scopes, cluster=setup.config.cluster.name, now=now)
        return problems

    return _with_store(setup.places, now, work)


def _ask_all(setup: Setup, slurm: Slurm, store: Store, now: int, full: bool) -> Problems:
    """Ask for everything once. When nobody answers for a QoS, the others are not asked: each would wait as long.

    Those that failed last time come last, so that one which always fails does not keep the others from being asked.
    """
    problems = _observe(setup, slurm, store, now)
    nobody: LibrarianError | None = None
    entries = sorted(setup.config.qos, key=lambda entry: _has_failed(store, entry))
    requests = [_request(setup, entry, now, full) for entry in entries]
    with slurm.ending():
        for entry, request, following in zip(entries, requests, [*requests[1:], None], strict=True):
            if nobody:
                JobRuns(store).failed(scope(entry), Asked(now, now, 0.0, error=str(nobody)))
                problems.append(NoAnswerError(f"QoS {entry.name} was not asked for", str(nobody)))
                continue
            failed = _collect_one(slurm, store, entry, request, following)
            nobody = next((problem for problem in failed if isinstance(problem, NoAnswerError)), None)
            problems += failed
    return problems


def _request(setup: Setup, entry: Qos, now: int, full: bool) -> Request:
    begin = now - setup.config.report.window_days * DAY
    return Request(scope(entry), setup.config.cluster.name, now, begin, full)


def _has_failed(store: Store, entry: Qos) -> bool:
    """Whether the last question failed; one that was not asked took no time."""
    last = JobRuns(store).last_query(scope(entry))
    return bool(last and last.error and last.seconds)


def observe(setup: Setup, slurm: Slurm, now: int) -> Problems:
    """Look at the cluster's settings and the limits alone, and keep what changed of them; returns what failed."""
    return _with_store(setup.places, now, lambda store: _observe(setup, slurm, store, now))


def _observe(setup: Setup, slurm: Slurm, store: Store, now: int) -> Problems:
    names = [entry.name for entry in setup.config.qos]
    cluster = setup.config.cluster.name
    problems: Problems = [*collect.observe_cluster(slurm, store, now, cluster=cluster, names=names)]
    for entry in setup.config.qos:
        if collect.keep_limits(store, entry.name, entry.limits, now):
            log.info("%s: its limits are new or have changed", entry.name)
    return problems


def _collect_one(slurm: Slurm, store: Store, entry: Qos, request: Request, following: Request | None) -> Problems:
    """Collect one QoS; Slurm answers for the `following` one while the store takes this one in."""

    def meanwhile() -> None:
        if following:
            collect.begin(slurm, store, following)

    log.info("%s: asking sacct", entry.name)
    try:
        asked = collect.collect(slurm, store, request, meanwhile)
    except LibrarianError as error:
        if isinstance(error, StoreError):
            raise
        return [type(error)(f"QoS {entry.name}: {error.what}", error.why, error.todo)]
    log.info("%s: %d runs, %d rejected, %.1f s", entry.name, asked.rows, asked.rejects, asked.seconds)
    return []


def scope(entry: Qos) -> Scope:
    """Which runs a configured QoS covers."""
    return Scope(entry.name, entry.accounts, entry.partitions)


def _with_store(places: Places, now: int, work: Callable[[Store], Result]) -> Result:
    """`work` on the store; a damaged one is set aside, and the work begins again on an empty one."""
    try:
        with opened(places.store) as store:
            return work(store)
    except CorruptStoreError as error:
        aside = set_aside(places.store, "damaged", now)
        log.warning("%s; it is set aside as %s and built again from Slurm", error, aside)
    with opened(places.store) as store:
        return work(store)


# render


def render(setup: Setup, now: int) -> Problems:
    """Write the site from the store; returns what failed.

    A QoS that has nothing to show, or whose pictures fail, keeps the files of the last site, marked as old. Raises
    `LibrarianError` when the store cannot be read or the site not written.
    """
    sources, people = _with_store(setup.places, now, lambda store: (_sources(setup, store), JobRuns(store).people()))
    usages = [source.measured.usage for source in sources if source.measured]
    people |= pseudonyms.people_of(source.collected for source in sources if source.collected)
    mask = pseudonyms.disguise(setup.config.privacy, usages, people, setup.places.state, user_name())
    carry = pseudonyms.keep(setup.places.state, mask)
    more = {statusfile.NAME: journal.public(setup, statusfile.stamped(statusfile.read(setup), setup))}
    shown = [_masked(source, mask) for source in sources]
    problems = assemble.write_site(setup, shown, now, carry=carry, public=mask.text, more=more)
    try:
        pseudonyms.shown(setup.places.state, mask)
    except StoreError as error:
        log.warning("%s; the next site keeps no file of this one", error)
    return problems


def _masked(source: assemble.Source, mask: Disguise) -> assemble.Source:
    """What readers may see of a source."""
    collected, measured = source.collected, source.measured
    if collected and measured:
        collected, measured = mask.of(collected, measured)
    return replace(source, collected=collected, measured=measured, reason=mask.text(source.reason))


def look(setup: Setup) -> list[assemble.Source]:
    """What the store holds of each configured QoS, as `render` would show it. Raises `StoreError`."""
    with opened(setup.places.store) as store:
        return _sources(setup, store)


def _sources(setup: Setup, store: Store) -> list[assemble.Source]:
    """What the store holds of each configured QoS, in the configuration's order; keeps its hourly usage."""
    sources, pasts = [], {}
    for entry in setup.config.qos:
        collected = _collected(setup, store, entry)
        measured = None
        if collected:
            found = _measure(setup, store, entry, collected)
            measured = found.measured
            pasts[entry.name] = history.keep(store, scope(entry), found.jobs, found.usage, found.edition)
            bins.keep(store, scope(entry), found)
            months = history.months_of(store, pasts[entry.name])
            collected = replace(collected, jobs=counting(found.jobs, collected.as_of), months=months)
        last = JobRuns(store).last_query(scope(entry))
        reason = (last and last.error) or "nothing was collected yet"
        sources.append(assemble.Source(entry, collected, measured, reason))
    paces = history.paces(store, setup.config.allocations, pasts)
    return [_paced(source, paces.get(source.qos.name, ())) for source in sources]


def _measure(setup: Setup, store: Store, entry: Qos, collected: Collected) -> bins.Found:
    def limits(tally: Tally) -> Histories:
        return limits_in(tally, collected, entry.limits)[1]

    return bins.measure(store, scope(entry), window_of(setup, collected.as_of), limits)


def _paced(source: assemble.Source, paces: tuple[Pace, ...]) -> assemble.Source:
    return replace(source, collected=replace(source.collected, paces=paces)) if source.collected else source


def window_of(setup: Setup, now: int) -> Window:
    """The configured window up to `now`."""
    options = setup.config.report
    return window_until(now, seconds=options.window_days * DAY, bin_seconds=options.bin_seconds, zone=setup.zone)


def _collected(setup: Setup, store: Store, entry: Qos) -> Collected | None:
    """What was last collected completely, without its runs, or None before the first time."""
    coverage = JobRuns(store).coverage(scope(entry))
    if coverage is None:
        return None
    last = JobRuns(store).last_query(scope(entry))
    error = last.error if last else None
    begin = coverage.complete_at - (setup.config.report.window_days + 1) * DAY
    return Collected(
        jobs=empty_jobs(),
        as_of=coverage.complete_at,
        limits=collect.known_limits(store, entry.name),
        rejects=JobRuns(store).rejects(scope(entry)),
        staleness=Staleness(True, coverage.complete_at, error) if error else Staleness(),
        gpus_tracked=store.fact(collect.TRACKED),
        hidden=frozenset(store.fact(collect.PRIVATE) or ()),
        reader=user_name(),
        limit_changes=LimitChanges(store).of(entry.name),
        queue=QueueSamples(store).last(scope(entry)),
        samples=QueueSamples(store).between(scope(entry), begin, coverage.complete_at + DAY),
    )


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
    senders, problems = delivery.senders(setup)
    every = [lambda _: look_through(setup), *checks]
    outcomes, failures = delivery.deliver(senders, setup.places.site, now, every)
    delivery.keep(setup.places.deliveries, outcomes, now)
    return problems + failures


def look_through(setup: Setup) -> None:
    """The last look at the whole site. Raises `LibrarianError` when it may show what [privacy] keeps back."""
    rules, mask = setup.config.privacy, pseudonyms.kept(setup.places.state)
    if mask is None or mask.rules != rules:
        if mask is None and rules == Rules():
            return
        raise PublishError("the site was made under other rules of [privacy]", todo="run: librarian render")
    names = [setup.config.cluster.name, *(text for entry in setup.config.qos for text in (entry.name, entry.title))]
    leak_check.check(setup.places.site, mask.secret, names)
