"""A person's week: when they sit at their desk, and how their jobs turn out."""

from __future__ import annotations

import math
from random import Random

from librarian.demo.runs import Ask, Leg, Person, Plan, Shape
from librarian.demo.weeks import DAY, HOUR, bounds, monday

SATURDAY = 5
SPARE = 2 * HOUR  # the next maintenance is known: nobody asks for what would end later than this before it


class Diary:
    """What one person asks of the cluster in one week, reproducible from the seed, the person and the week."""

    def __init__(self, person: Person, week: int, seed: int) -> None:
        self.person = person
        self.week = week
        self.turn = week % 4  # the place of the week in its cycle
        self.random = Random(f"{seed} {person.login} {week}")  # noqa: S311 - a simulation
        self.asks: list[Ask] = []

    def at(self, day: int, hour: float, within: float = 0.0) -> int:
        """UTC epoch of a local hour of a day (Monday is 0), or up to `within` hours later."""
        return monday(self.week) + day * DAY + int((hour + within * self.random.random()) * HOUR)

    def moments(self, a_day: float, weekend: float = 0.0) -> list[int]:
        """Times at the desk, in order: `a_day` of them on a working day, and this share of it at the weekend.

        Busiest before noon and in the middle of the afternoon. The weekend before a maintenance is quiet.
        """
        times = []
        for day in range(7):
            rate = a_day if day < SATURDAY else a_day * weekend * (self.turn != 3)
            for _ in range(self.count(rate)):
                hour = self.random.gauss(*self.random.choice(((10.6, 1.2), (15.1, 1.7))))
                times.append(self.at(day, min(max(hour, 7.0), 23.0)))
        return sorted(times)

    def count(self, mean: float) -> int:
        """A whole number around `mean`."""
        return int(mean * self.random.uniform(0.5, 1.5) + self.random.random())

    def seconds(self, hours: float, spread: float) -> int:
        """A duration around the median `hours`; `spread` is the sigma of its logarithm."""
        return max(int(hours * HOUR * math.exp(self.random.gauss(0, spread))), 20)

    def plan(self, hours: float, limit: float, *, spread: float = 0.6, chances: dict[str, float] | None = None) -> Plan:
        """How a job of about `hours` under a wall time of `limit` hours goes; `chances` by final state, else COMPLETED.

        NODE_FAIL and REQUEUED put it back into the queue, for another try that completes.
        """
        seconds, most = self.seconds(hours, spread), int(limit * HOUR)
        state = self._state(chances or {})
        if state in ("FAILED", "OUT_OF_MEMORY", "CANCELLED"):  # these come early more often than late
            return (Leg(max(min(int(seconds * self.random.random() ** 2), most), 2), state),)
        if state in ("NODE_FAIL", "REQUEUED"):
            first = Leg(max(min(int(seconds * self.random.random()), most), 30), state)
            return (first, Leg(min(seconds, most), "COMPLETED"))
        if seconds >= most:
            return (Leg(most + self.random.randrange(2, 30), "TIMEOUT"),)
        return (Leg(seconds, state),)

    def _state(self, chances: dict[str, float]) -> str:
        draw = self.random.random()
        for state, chance in chances.items():
            draw -= chance
            if draw < 0:
                return state
        return "COMPLETED"

    def job(self, submit: int, queue: tuple[str, str], shape: Shape, plan: Plan, limit: float) -> None:
        """A plain job; `queue` is (QoS, partition), `limit` hours."""
        self.add(Ask(self.person, submit, *queue, (shape,), int(limit * HOUR), (plan,)))

    def array(
        self, submit: int, queue: tuple[str, str], shape: Shape, plans: list[Plan], limit: float, throttle: int
    ) -> None:
        """An array with a plan for each task, of which `throttle` run at a time."""
        self.add(Ask(self.person, submit, *queue, (shape,), int(limit * HOUR), tuple(plans), throttle))

    def add(self, ask: Ask) -> None:
        """Write an ask down, unless it comes before the cycle or could not end before the maintenance after it."""
        begins, _, closes = bounds(self.week // 4)
        if begins <= ask.submit < closes - SPARE - ask.limit:
            self.asks.append(ask)
