"""A small cluster: takes what people ask for, starts what the limits of their QoS allow, and keeps the accounts."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from librarian.demo.runs import BY_USER, Ask, Leg, Plan, Run, Shape, as_of, tres
from librarian.demo.weeks import HOUR

Limits = tuple[int, int, int]  # CPUs, GPUs, GiB
Id = tuple[int, int, str]  # job number, database index, job id as displayed
PASS_DELAY = 3  # seconds from a change to the next look at the queue
REQUEUE_DELAY = 120  # a requeued job waits this long before it is eligible
ARRAY_LAG = 4 * HOUR  # arrays rank as if they had come later, so that one does not keep single jobs out for a day
PATIENCE = 3 * HOUR  # after that a job that does not fit is no longer overtaken
GRACE = 60  # a job over its time limit is ended within a minute
CLUSTER_BITS = 0x81B << 52  # Slurm 24.11: cluster number, milliseconds since 1970 and a counter in one 64-bit number


@dataclass(slots=True, eq=False)
class _Waiting:
    """A job in the queue; an array is one of these, with its tasks from `next` on."""

    ask: Ask
    ids: list[Id]
    submit: int
    eligible: int | None
    plans: tuple[Plan, ...]
    array: bool = False
    next: int = 0
    running: int = 0
    rank: int = 0

    @property
    def done(self) -> bool:
        return self.next >= len(self.plans)

    @property
    def throttled(self) -> bool:
        return self.array and self.running >= self.ask.throttle


@dataclass(slots=True, eq=False)
class _Running:
    """An allocation, with an id and a shape for each component."""

    waiting: _Waiting
    ids: list[Id]
    shapes: tuple[Shape, ...]
    submit: int
    eligible: int
    start: int
    leg: Leg
    rest: Plan


class Scheduler:
    """The cluster between two maintenances. Feed it all asks, then `run` once."""

    def __init__(
        self,
        asks: Iterable[Ask],
        limits: Mapping[str, Limits],
        each: Mapping[str, Limits],
        bounds: tuple[int, int, int],
        number: int,
    ):
        """`limits` are those of a whole QoS, `each` those of every user in it; `bounds` are of the cycle."""
        self._limits, self._each = limits, each
        self._held: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])  # by QoS and login
        self._down, self._up, self._closes = bounds
        self._number = number  # job numbers go on from here
        self._free = {qos: list(limit) for qos, limit in limits.items()}
        self._queue: dict[str, list[_Waiting]] = {qos: [] for qos in limits}
        self._sleeping: dict[_Waiting, None] = {}  # submitted, not eligible yet
        self._running: dict[_Running, None] = {}
        self._open: dict[Ask, int] = {}  # tasks that have not ended
        self._followers: dict[Ask, list[_Waiting]] = defaultdict(list)
        self._due: set[str] = set()
        self._runs: list[Run] = []
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        for ask in asks:
            self._at(ask.submit, partial(self._submit, ask))
        for qos in limits:
            self._at(self._up, partial(self._pass, qos))

    def run(self, until: int) -> list[Run]:
        """Everything that happened up to `until` (UTC epoch): ended runs, those that go on, and those that wait.

        What waits when the next maintenance begins is cancelled by the operators.
        """
        until = min(until, self._closes)
        while self._events and self._events[0][0] <= until:
            now, _, action = heapq.heappop(self._events)
            action(now)
        closed = until == self._closes
        for job in self._running:
            self._runs += [run for row in self._rows(job) if (run := as_of(row, until)) is not None]
        for waiting in [*self._sleeping, *(entry for queue in self._queue.values() for entry in queue)]:
            self._runs += self._waiting_rows(waiting, until if closed else None, 0)
        return self._runs

    def _at(self, when: int, action: Callable[[int], None]) -> None:
        self._order += 1
        heapq.heappush(self._events, (when, self._order, action))

    def _new_id(self, now: int, name: str = "") -> Id:
        """A new number, displayed as `name` or as itself. The whole cluster shares the numbers: they grow with time."""
        self._number += 1
        number = self._number + (now - self._down) // 8
        return number, CLUSTER_BITS | (now * 1000 + self._number % 1000) << 10, name or str(number)

    def _new_ids(self, components: int, now: int) -> list[Id]:
        """The ids of a job: one, or for a heterogeneous job one a component, named after the first."""
        first = self._new_id(now)
        if components == 1:
            return [first]
        self._number += components - 1
        return [(first[0] + index, first[1] + index, f"{first[2]}+{index}") for index in range(components)]

    def _submit(self, ask: Ask, now: int) -> None:
        ids = self._new_ids(len(ask.shapes), now)
        waiting = _Waiting(ask, ids, now, ask.begin or now, ask.plans, ask.throttle > 0)
        if ask.refused:
            self._refuse(waiting)
            return
        self._open[ask] = len(ask.plans)
        self._sleeping[waiting] = None
        if ask.give_up is not None:
            self._at(ask.give_up, partial(self._give_up, waiting))
        if ask.after is not None and self._open.get(ask.after) != 0:
            waiting.eligible = None
            self._followers[ask.after].append(waiting)
        else:
            self._at(ask.begin or now, partial(self._enqueue, waiting))

    def _refuse(self, waiting: _Waiting) -> None:
        """A job that fails before it runs: on its node, with a start, or in the queue, without one."""
        launched = waiting.ask.refused == "launched"
        end = waiting.submit
        for row in self._waiting_rows(waiting, end, 0):
            self._runs.append(replace(row, state="FAILED", start=end if launched else None))

    def _enqueue(self, waiting: _Waiting, now: int) -> None:
        if waiting not in self._sleeping:
            return  # given up in the meantime
        del self._sleeping[waiting]
        waiting.eligible, waiting.rank = now, now + (ARRAY_LAG if waiting.array else 0)
        insort(self._queue[waiting.ask.qos], waiting, key=lambda entry: entry.rank)
        self._look(waiting.ask.qos, now)

    def _give_up(self, waiting: _Waiting, now: int) -> None:
        queue = self._queue[waiting.ask.qos]
        if waiting in self._sleeping:
            del self._sleeping[waiting]
        elif waiting in queue:
            queue.remove(waiting)
        else:
            return
        self._runs += self._waiting_rows(waiting, now, waiting.ask.person.uid)

    def _look(self, qos: str, now: int) -> None:
        """Have the queue looked at soon, and once for all that happens until then."""
        if qos not in self._due and now >= self._up:
            self._due.add(qos)
            self._at(now + PASS_DELAY, partial(self._pass, qos))

    def _pass(self, qos: str, now: int) -> None:
        """Start what fits, in order of rank.

        Who has waited too long for CPUs is overtaken no more, who waited for GPUs by no GPU job.
        """
        self._due.discard(qos)
        queue, free = self._queue[qos], self._free[qos]
        gpus_kept = False
        for waiting in list(queue):
            cpus, gpus, _ = _total(waiting.ask.shapes)
            if free[0] <= 0:
                break
            if (gpus and gpus_kept) or not self._startable(waiting, now):
                continue
            while not waiting.done and not waiting.throttled and self._fits(waiting.ask.shapes, free):
                if not self._may(waiting.ask):
                    break
                self._start(waiting, now)
            if waiting.done:
                queue.remove(waiting)
            elif not waiting.throttled and self._may(waiting.ask) and now - waiting.rank > PATIENCE:
                if cpus > free[0]:
                    break
                gpus_kept = gpus_kept or gpus > free[1]

    def _startable(self, waiting: _Waiting, now: int) -> bool:
        """Could it start on an empty cluster, and be over before the next maintenance?"""
        ask = waiting.ask
        return now + ask.limit + GRACE <= self._closes and self._fits(ask.shapes, self._limits[ask.qos])

    @staticmethod
    def _fits(shapes: tuple[Shape, ...], free: Limits | list[int]) -> bool:
        cpus, gpus, memory = _total(shapes)
        return cpus <= free[0] and gpus <= free[1] and memory <= free[2]

    def _may(self, ask: Ask) -> bool:
        """Does the limit on each user let one more such job of this user start?"""
        most, held = self._each.get(ask.qos), self._held[ask.qos, ask.person.login]
        totals = zip(held, _total(ask.shapes), most or (), strict=False)
        return all(had + amount <= limit for had, amount, limit in totals)

    def _hold(self, ask: Ask, shapes: tuple[Shape, ...], sign: int) -> None:
        free, held = self._free[ask.qos], self._held[ask.qos, ask.person.login]
        for index, amount in enumerate(_total(shapes)):
            free[index] -= sign * amount
            held[index] += sign * amount

    def _start(self, waiting: _Waiting, now: int) -> None:
        plan = waiting.plans[waiting.next]
        waiting.next += 1
        waiting.running += 1
        ids = self._task_ids(waiting, now) if waiting.array else waiting.ids
        eligible = waiting.submit if waiting.eligible is None else waiting.eligible
        self._allocate(_Running(waiting, ids, waiting.ask.shapes, waiting.submit, eligible, now, plan[0], plan[1:]))

    def _task_ids(self, waiting: _Waiting, now: int) -> list[Id]:
        """The id of the task that starts: the last one takes the number of the array itself, the others their own."""
        jobid, dbindex, _ = waiting.ids[0]
        name = f"{jobid}_{waiting.next}"
        return [(jobid, dbindex, name) if waiting.done else self._new_id(now, name)]

    def _allocate(self, job: _Running) -> None:
        self._hold(job.waiting.ask, job.shapes, 1)
        self._running[job] = None
        self._at(job.start + job.leg.seconds + job.leg.suspended, partial(self._finish, job))

    def _finish(self, job: _Running, now: int) -> None:
        del self._running[job]
        ask = job.waiting.ask
        self._hold(ask, job.shapes, -1)
        self._runs += self._rows(job)
        self._look(ask.qos, now)
        if job.rest and job.leg.state == "RESIZING":
            self._resize(job, now)
            return
        if job.waiting.throttled:
            job.waiting.eligible = now  # Slurm calls the next task eligible only when the throttle lets it go
        job.waiting.running -= 1
        if job.rest:
            self._requeue(job, now)
            return
        self._open[ask] -= 1
        if not self._open[ask]:
            for follower in self._followers.pop(ask, []):
                self._enqueue(follower, now)

    def _resize(self, job: _Running, now: int) -> None:
        """Go on with half: a row of its own in the accounts, submitted and started at the moment of the change."""
        (jobid, _, name), leg = job.ids[0], job.rest[0]
        ids = [(jobid, self._new_id(now)[1], name)]
        shapes = tuple(shape.halved() for shape in job.shapes)
        self._allocate(_Running(job.waiting, ids, shapes, now, now, now, leg, job.rest[1:]))

    def _requeue(self, job: _Running, now: int) -> None:
        """Back to the queue: the same job number, a new row, submitted now."""
        jobid, _, name = job.ids[0]
        ids = [(jobid, self._new_id(now)[1], name)]
        again = _Waiting(job.waiting.ask, ids, now, now + REQUEUE_DELAY, (job.rest,))
        self._sleeping[again] = None
        self._at(now + REQUEUE_DELAY, partial(self._enqueue, again))

    def _rows(self, job: _Running) -> list[Run]:
        """The accounts of an allocation, with its end, which may lie in the future."""
        ask, person, leg = job.waiting.ask, job.waiting.ask.person, job.leg
        state = BY_USER.format(person.uid) if leg.state == "CANCELLED" else leg.state
        end = job.start + leg.seconds + leg.suspended
        return [
            Run(
                dbindex, jobid, name, person.login, person.uid, person.account, ask.qos, ask.partition, state,
                job.submit, job.eligible, job.start, end, leg.suspended, tres(shape), tres(ask.request or shape),
                shape.nodes,
            )
            for (jobid, dbindex, name), shape in zip(job.ids, job.shapes, strict=True)
        ]  # fmt: skip

    def _waiting_rows(self, waiting: _Waiting, cancelled: int | None, by: int) -> list[Run]:
        """The accounts of a job that waits, or that the user number `by` `cancelled` (UTC epoch) while it did."""
        ask, person = waiting.ask, waiting.ask.person
        state = "PENDING" if cancelled is None else BY_USER.format(by)
        ids, eligible = waiting.ids, None if waiting.throttled else waiting.eligible
        if waiting.array:
            jobid, dbindex, _ = ids[0]
            ids = [(jobid, dbindex, f"{jobid}_[{_span(waiting.next + 1, len(waiting.plans))}%{ask.throttle}]")]
        return [
            Run(
                dbindex, jobid, name, person.login, person.uid, person.account, ask.qos,
                ask.partition, state, waiting.submit, eligible, None, cancelled, 0, "", tres(ask.request or shape),
                shape.nodes,
            )
            for (jobid, dbindex, name), shape in zip(ids, ask.shapes, strict=True)
        ]  # fmt: skip


def _total(shapes: tuple[Shape, ...]) -> tuple[int, int, int]:
    if len(shapes) == 1:
        return shapes[0].cpus, shapes[0].gpus, shapes[0].memory
    return sum(s.cpus for s in shapes), sum(s.gpus for s in shapes), sum(s.memory for s in shapes)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
