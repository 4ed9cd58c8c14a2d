"""`librarian campaign submit`, `retry`, `run`: handing tasks on, to Slurm or to this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from librarian.campaigns import arrays, ask, local, making, submitting
from librarian.campaigns import options as sbatch_options
from librarian.campaigns.looking import View, look
from librarian.campaigns.model import LOCAL
from librarian.campaigns.states import FAILED, NOT_SUBMITTED
from librarian.cli import campaign_common as common
from librarian.errors import ConfigError
from librarian.system import host


def submit(options: argparse.Namespace) -> int:
    """Hand rows that are not submitted to Slurm."""
    folder, slurm = common.folder_of(options)
    sbatch_options.check(options.behind)
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        if folder.history().paused:
            if options.feed:
                return 0
            raise ConfigError(f"{options.name} is paused", todo=f"first: librarian campaign resume {options.name}")
        settled(hand, dry=options.dry_run)
        view = look([folder], slurm, host.clock())[0][0]
        rows = [row for row, state in view.states.items() if state.kind == NOT_SUBMITTED][: options.limit]
        given = tuple(options.behind) or (_last_options(view) if options.feed else ())
        return _hand_on(hand, view, rows, given, options)


def retry(options: argparse.Namespace) -> int:
    """Hand the tasks that failed to Slurm again."""
    folder, slurm = common.folder_of(options)
    sbatch_options.check(options.behind)
    factors = sbatch_options.factors(options.more) if options.more else {}
    wanted = {word.upper() for word in options.state.split(",") if word}
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        settled(hand, dry=options.dry_run)
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        view, tries = views[0], views[0].history.tries()
        failed = [
            row for row, state in view.states.items() if state.kind == FAILED and (not wanted or state.word in wanted)
        ]
        rows = [row for row in failed if len(tries.get(row, ())) < options.max]
        if len(rows) < len(failed):
            print(f"{common.counted(len(failed) - len(rows))} had {options.max} tries already")
        given = sbatch_options.more(tuple(options.behind) or _last_options(view), factors)
        return _hand_on(hand, view, rows, given, options)


def settled(hand: submitting.Hand, *, dry: bool) -> None:
    """Look after arrays that somebody was killed over; raises `SlurmError` where that cannot be known."""
    if dry:
        return
    for array in submitting.settle_all(hand):
        print(f"job {array.job} was submitted before, with {common.counted(len(array.rows))}")


def _last_options(view: View) -> tuple[str, ...]:
    """The options of the last array that Slurm took."""
    found = next((array.options for array in reversed(view.history.arrays) if array.job), ())
    sbatch_options.check(found)
    return found


def _hand_on(
    hand: submitting.Hand, view: View, rows: Sequence[int], given: tuple[str, ...], options: argparse.Namespace
) -> int:
    changed, commit = making.changes(view.folder, view.campaign)
    feed = getattr(options, "feed", False)
    if changed and not options.again:
        todo = "submit with --again if that is meant; tasks run the script that was kept"
        raise ConfigError(f"{view.campaign.name} is not what it was: {'; '.join(changed)}", todo=todo)
    if not rows:
        if not feed:
            print("nothing is left to submit")
        return 0
    if options.dry_run:
        longest = ask.longest_array(hand.slurm)
        print(f"{common.counted(len(rows))} would be submitted, in {common.counted(-(-len(rows) // longest), 'array')}")
        print(f"rows {arrays.ranges(rows)}")
        return 0
    order = submitting.Order(rows, given, options.max_running, commit)
    outcome = submitting.submit(hand, view.campaign, view.tasks, order)
    for array in outcome.arrays:
        print(f"job {array.job}: {common.counted(len(array.rows))}, rows {arrays.ranges(array.rows)}")
    if outcome.why is None:
        return 0
    if feed and isinstance(outcome.why, submitting.NoRoomError):
        return 0
    print(f"librarian: {outcome.why}; {common.counted(len(outcome.left))} not submitted", file=sys.stderr)
    return outcome.why.exit_status


def run(options: argparse.Namespace) -> int:
    """Run tasks here."""
    folder, slurm = common.folder_of(options)
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        view = look([folder], slurm, host.clock())[0][0]
        kinds = (NOT_SUBMITTED, FAILED) if options.failed else (NOT_SUBMITTED,)
        rows = {row for row, state in view.states.items() if state.kind in kinds}
        chosen = [task for task in view.tasks if task.row in rows][: options.limit]
        changed, commit = making.changes(folder, view.campaign)
        if changed and not options.again:
            raise ConfigError(f"{view.campaign.name} is not what it was: {'; '.join(changed)}", todo="run with --again")
        if not chosen:
            print("nothing is left to run")
            return 0
        array = submitting.prepared(hand, view.campaign, chosen, LOCAL, commit=commit)
        running = local.Runner(folder, array)
    bad = 0

    def ended(row: int, status: int) -> None:
        nonlocal bad
        bad += status != 0
        if not options.quiet:
            print(f"task {row}: {'done' if status == 0 else f'failed with status {status}'}", flush=True)

    running.run(options.local, ended)
    print(f"{common.counted(len(chosen))} ran, {bad} failed")
    return 1 if bad else 0
