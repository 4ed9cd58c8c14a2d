"""A backfill as a job array on the user's own cluster: each task fetches its share into a store of its own, its part.

What the tasks leave is merged into the store by a job that follows them, or by hand. A part is taken in one span after
the other, each in one transaction with the note that it is known; hours that the store knows are not taken again. So
nothing counts twice, and a merge that is ended goes on where it was.

slurmdbd serves everybody: only a few tasks run at the same time, and each leaves it in peace between questions.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from librarian.backfill import batch
from librarian.backfill.merging import take_hours
from librarian.backfill.orders import Order, Terms, orders
from librarian.backfill.slices import Hands, Outcome, Slice, Target, fill, put
from librarian.config.settings import Scrontab
from librarian.errors import BusyError, ConfigError, LibrarianError, SlurmError, StoreError
from librarian.render.html.templates import filled_text
from librarian.shared.calendar import month_starts
from librarian.shared.scope import Scope, full_key
from librarian.shared.slices import gaps
from librarian.shared.spans import Span, clipped
from librarian.shared.window import day_edges
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.store import CorruptStoreError, Store, opened
from librarian.subjects.usage.sums import USAGE
from librarian.system.host import remove_tree, write_atomic
from librarian.system.lock import locked

AT_ONCE = 2
PLAN, ARRAY, MERGE = "plan.json", "fetch.sh", "merge.sh"
_DONE, _SURE = "backfill_done", "backfill_sure"
_LONGEST_JOB = 1440  # minutes
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArrayPlan:
    """What the tasks of an array fetch, by their number, and how."""

    terms: Terms
    tasks: tuple[tuple[Order, ...], ...]


@dataclass(frozen=True)
class Caller:
    """How a job calls this program: with which configuration, in which folder, by which options of Slurm's."""

    config: Path
    base: Path
    options: Scrontab


@dataclass(frozen=True)
class Merged:
    """What a merge did: seconds of history that came in, parts that are done with, and tasks that are not."""

    seconds: int = 0
    parts: int = 0
    open_tasks: int = 0


# before


def shared(todo: Sequence[Order], tasks: int, terms: Terms) -> tuple[tuple[Order, ...], ...]:
    """`todo` in about `tasks` shares of the same length, none shorter than a slice without need; newest first.

    They are cut between bins.
    """
    bins = sum(order.seconds for order in todo) // terms.bin_seconds
    each = max(terms.longest, -(-bins // tasks) * terms.bin_seconds)
    shares: list[list[Order]] = [[]]
    room = each
    for order in todo:
        for gap in order.spans:
            begin = gap[0]
            while begin < gap[1]:
                end = _edge_before(begin, min(gap[1], begin + max(room, terms.bin_seconds)), gap, terms)
                shares[-1].append(Order(order.scope, ((begin, end),)))
                room -= end - begin
                begin = end
                if room < terms.bin_seconds:
                    shares.append([])
                    room = each
    some = [share for share in shares if share]
    return tuple(tuple(share) for share in sorted(some, key=lambda share: -share[-1].spans[-1][1]))


def _edge_before(begin: int, wanted: int, gap: Span, terms: Terms) -> int:
    """The last edge of a bin up to `wanted`, but later than `begin`; the end of the gap is one."""
    if wanted >= gap[1]:
        return gap[1]
    edges = day_edges(begin, gap[1], terms.bin_seconds, terms.zone)
    up_to = edges[(edges > begin) & (edges <= wanted)]
    after = edges[edges > begin]
    return min(gap[1], int(up_to[-1] if len(up_to) else after[0]))


def folder_of(store: Path) -> Path:
    """Where the parts of the backfills of a cluster are, by its store."""
    return store.parent / "backfill" / store.stem


def prepare(store: Path, caller: Caller, plan: ArrayPlan, now: int) -> Path:
    """Write what the jobs need into a folder of their own. Raises `ConfigError` for a path that sbatch misreads."""
    folder = folder_of(store) / str(now)
    slices = max(sum(order.seconds for order in task) for task in plan.tasks) // plan.terms.longest + 1
    fetch = f'--folder {_quoted(folder)} --task "$SLURM_ARRAY_TASK_ID"'
    texts = {
        PLAN: json.dumps(_packed(plan)),
        ARRAY: _script(caller, folder, fetch, minutes=10 + 2 * slices, tasks=len(plan.tasks)),
        MERGE: _script(caller, folder, "--merge", minutes=60, tasks=0),
    }
    try:
        folder.mkdir(parents=True, mode=0o700)
        for name, text in texts.items():
            write_atomic(folder / name, text.encode(), mode=0o600 if name == PLAN else 0o700)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written", error.strerror or str(error)) from error
    return folder


def submit(slurm: Slurm, folder: Path) -> tuple[str, str]:
    """Submit the array and the job that merges; returns their ids.

    Raises `SlurmError`; the folder is removed then, unless the array goes on in it.
    """
    try:
        array = batch.submit(slurm, folder / ARRAY)
    except SlurmError:
        remove_tree(folder)
        raise
    try:
        return array, batch.submit(slurm, folder / MERGE, batch.after_all(array))
    except SlurmError as error:
        todo = "when the job has ended, run: librarian backfill --merge"
        raise SlurmError(f"job {array} is submitted, but not the one that merges", str(error), todo) from error


def _script(caller: Caller, folder: Path, command: str, *, minutes: int, tasks: int) -> str:
    options = caller.options
    return filled_text(
        assets.templates(),
        "backfill.sh.j2",
        job=f"librarian-backfill-{'fetch' if tasks else 'merge'}",
        log=_quoted(folder, "task-%a.log" if tasks else "merge.log"),
        minutes=min(_LONGEST_JOB, minutes),
        tasks=tasks,
        at_once=AT_ONCE,
        memory=options.memory,
        partition=options.partition,
        qos=options.qos,
        account=options.account,
        modules=options.modules,
        code=shlex.quote(str(assets.code_root())),
        home=shlex.quote(str(caller.base)),
        python=shlex.quote(sys.executable),
        config=shlex.quote(str(caller.config)),
        command=command,
    )


def _quoted(folder: Path, name: str = "") -> str:
    text = str(folder)
    if any(not c.isprintable() or c in "%\\'\"" for c in text):
        raise ConfigError(f"the path {text!r} cannot stand in a job's script", todo="name another [paths] state")
    return shlex.quote(f"{text}/{name}" if name else text)


# a task


def part(folder: Path, number: int) -> Path:
    """The store of a task."""
    return folder / f"task-{number}.sqlite"


def fetch(slurm: Slurm, folder: Path, number: int, hands: Hands) -> Outcome:
    """Fetch what a task of the plan in `folder` has not fetched yet into its part; the caller holds the part's lock.

    Raises `SlurmError`, `StoreError`, and `ConfigError` when there is no such task.
    """
    plan = read_plan(folder)
    if not 0 <= number < len(plan.tasks):
        raise ConfigError(f"there is no task {number}", f"the plan in {folder} has {len(plan.tasks)}")
    path = part(folder, number)
    with opened(path, plan.terms.cluster) as store:
        todo = _left(store, plan.tasks[number])

        def keep(scope: Scope, found: Slice) -> None:
            if found.sure:  # first, since it is true even if the slice is not kept any more
                sure = _sure_of(store, plan)
                sure[scope.key] = min(found.span[0], sure.get(scope.key, found.span[0]))
                store.know(_SURE, sure, hands.clock())
            put(store, scope, found)

        outcome = fill(slurm, todo, plan.terms, keep, hands, hold=False)
        store.know(_DONE, True, hands.clock())
    return outcome


def _left(store: Store, task: Sequence[Order]) -> list[Order]:
    """What of a task a store does not know."""
    return [left for order in task for span in order.spans for left in orders(store, [order.scope], span)]


# after


def unmerged(store: Path) -> list[Path]:
    """The folders of backfills that are not merged to the end, oldest first."""
    return sorted(path.parent for path in folder_of(store).glob(f"*/{PLAN}"))


def merge(target: Target, hands: Hands) -> Merged:
    """Take in what tasks have fetched, of all backfills. Parts that are still being written are left for later.

    What may only be missing since slurmdbd has purged it is left out, see `backfill.slices`. Raises `StoreError`.
    """
    found, problems = Merged(), []
    for folder in unmerged(target.path):
        try:
            one = _merge(target, folder, hands)
        except LibrarianError as error:  # the others do not wait for it
            problems.append(error)
            continue
        found = Merged(found.seconds + one.seconds, found.parts + one.parts, found.open_tasks + one.open_tasks)
    if problems:
        raise problems[0]
    return found


def _merge(target: Target, folder: Path, hands: Hands) -> Merged:
    plan, record = read_plan(folder), folder / "merged.json"
    merged, sure = _merged_before(record, plan.terms.cluster)
    seconds = 0
    with contextlib.ExitStack() as stack:
        parts = dict(_free_parts(folder, plan, stack))
        done = {number for number, store in parts.items() if store.fact(_DONE)} | merged
        for store in parts.values():
            for key, since in _sure_of(store, plan).items():
                sure[key] = min(since, sure.get(key, since))
        for number, store in sorted(parts.items()):
            try:
                seconds += _take_task(target, store, plan, number, sure, hands)
            except CorruptStoreError as error:
                if str(store.path) not in error.what:  # it is our own store
                    raise
                _set_aside(part(folder, number), error)
                del parts[number]
                done.discard(number)
    # a part with slices that nothing older vouches for yet waits until no older one can come
    last = len(done) == len(plan.tasks)
    with opened(target.path, target.cluster) as store:
        finished = {number for number in done & set(parts) if last or not _left(store, plan.tasks[number])}
    write_atomic(record, json.dumps({"tasks": sorted(merged | finished), "sure": sure}).encode(), mode=0o600)
    for number in finished:
        _remove(part(folder, number))
    if len(merged | finished) == len(plan.tasks):
        remove_tree(folder)
    return Merged(seconds, len(finished), len(plan.tasks) - len(merged | finished))


def _merged_before(record: Path, cluster: str) -> tuple[set[int], dict[str, int]]:
    """The tasks that were merged, and from when on each scope is believed; nothing where that is missing or damaged."""
    try:
        told = json.loads(record.read_bytes())
        return {int(number) for number in told["tasks"]}, {
            full_key(key, cluster): int(since) for key, since in told["sure"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return set(), {}


def _sure_of(store: Store, plan: ArrayPlan) -> dict[str, int]:
    """From when on a part vouches for each scope, by its key; one of 0.1.0 has keys without a cluster."""
    return {full_key(key, plan.terms.cluster): since for key, since in (store.fact(_SURE) or {}).items()}


def _take_task(
    target: Target, source: Store, plan: ArrayPlan, number: int, sure: Mapping[str, int], hands: Hands
) -> int:
    scopes = {order.scope for order in plan.tasks[number]}
    return sum(
        _take(target, source, scope, sure[scope.key], plan.terms.zone, hands) for scope in scopes if scope.key in sure
    )


def _set_aside(path: Path, error: LibrarianError) -> None:
    log.warning("%s; what it held is to be fetched again", error)
    path.unlink(missing_ok=True)


def _free_parts(folder: Path, plan: ArrayPlan, stack: contextlib.ExitStack) -> Iterator[tuple[int, Store]]:
    """The parts that are there and that nobody writes, with their tasks' numbers; locked for as long as `stack` is."""
    for number in range(len(plan.tasks)):
        path = part(folder, number)
        if not path.exists():
            continue
        try:
            stack.enter_context(locked(path.with_suffix(".lock"), "a merge"))
            store = stack.enter_context(opened(path, plan.terms.cluster))
            for name in (_DONE, _SURE):  # what is damaged is best known now
                store.fact(name)
        except BusyError:
            log.info("task %d goes on", number)
        except CorruptStoreError as error:
            _set_aside(path, error)
        else:
            yield number, store


def _take(target: Target, source: Store, scope: Scope, since: int, zone: str, hands: Hands) -> int:
    """Take in the spans that a part knows from `since` on and the store does not; returns their seconds."""
    seconds = 0
    for known in clipped(source.known(scope, USAGE), since, sys.maxsize):
        for begin, end in _by_month(known, zone):  # one at a time: a run may want the lock, and years are much memory
            with target.opened(hands) as store:
                for gap in gaps(store.known(scope, USAGE), begin, end):
                    take_hours(store, source, scope, gap, zone)
                    seconds += gap[1] - gap[0]
    return seconds


def _by_month(span: tuple[int, int], zone: str) -> list[tuple[int, int]]:
    """The span cut where months begin, newest first; there no bin is cut in two."""
    cuts = [start for start in month_starts(span[0], span[1], zone) if span[0] < start < span[1]]
    return list(itertools.pairwise([span[0], *cuts, span[1]]))[::-1]


def _remove(path: Path) -> None:
    for file in [path, *path.parent.glob(f"{path.stem}.lock*")]:
        file.unlink(missing_ok=True)


# the plan as a file


def read_plan(folder: Path) -> ArrayPlan:
    """The plan in a folder. Raises `StoreError`."""
    path = folder / PLAN
    try:
        table = json.loads(path.read_bytes())
        terms = Terms(**table["terms"])
        return ArrayPlan(terms, tuple(tuple(_order(order, terms.cluster) for order in task) for task in table["tasks"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read", str(error), "run the backfill again") from error


def _packed(plan: ArrayPlan) -> dict[str, object]:
    return {"terms": asdict(plan.terms), "tasks": [[asdict(order) for order in task] for task in plan.tasks]}


def _order(table: Mapping[str, Any], cluster: str) -> Order:
    scope = {"cluster": cluster, **table["scope"]}  # a plan of 0.1.0 names it in its terms alone
    spans = tuple((begin, end) for begin, end in table["spans"])
    return Order(Scope(scope["cluster"], scope["qos"], tuple(scope["accounts"]), tuple(scope["partitions"])), spans)
