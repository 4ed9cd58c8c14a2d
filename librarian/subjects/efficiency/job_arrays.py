"""Job arrays as one row each: what became of their tasks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.card import waited
from librarian.subjects.efficiency.model import Flag, Peak, Run


@dataclass(frozen=True)
class JobArray:
    """The runs of a job array in their order; of a task that was requeued there are several."""

    runs: tuple[Told, ...]

    @property
    def newest(self) -> tuple[Told, ...]:
        """The newest run of each task, which is how it stands; and the row of those that are pending."""
        found: dict[str, Told] = {}
        for one in self.runs:
            found[one.id] = max(found.get(one.id, one), one, key=lambda told: (told.submit or 0, told.used.run.dbindex))
        return tuple(found.values())

    @property
    def tasks(self) -> int:
        """How many tasks are told of."""
        return sum(one.tasks for one in self.newest)

    @property
    def states(self) -> Mapping[str, int]:
        """How many tasks are in which state, most first."""
        return dict(_counted((one.used.run.state, one.tasks) for one in self.newest))

    @property
    def exit_codes(self) -> Sequence[str]:
        """The exit codes of tasks that ended, most frequent first; "": not told."""
        return [code for code, _ in _counted((one.exit_code, 1) for one in self.newest if one.end is not None)]

    @property
    def waited(self) -> int | None:
        """The longest that a task was pending, in seconds; None where none has begun."""
        return max((wait for one in self.newest if (wait := waited(one)) is not None), default=None)

    @property
    def longest(self) -> Run | None:
        """The run that lasted longest, of those that began."""
        begun = [one.used.run for one in self.runs if one.start is not None]
        return max(begun, key=lambda run: run.elapsed, default=None)

    @property
    def end(self) -> int | None:
        """When its last task ended (UTC epoch); None where one has not."""
        ends = [one.end for one in self.newest]
        return None if None in ends else max(end for end in ends if end is not None)


def _counted(values: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for word, number in values:
        found[word] += number
    return found.most_common()


def folded(told: Iterable[Told]) -> list[Told | JobArray]:
    """Runs of job arrays as one row an array, where its last one stands; an array of one row stays that."""
    rows = list(told)
    arrays: dict[int, list[Told]] = {}
    for one in rows:
        if one.array:
            arrays.setdefault(one.array, []).append(one)
    last = {id(runs[-1]): runs for runs in arrays.values()}
    kept: list[Told | JobArray] = []
    for one in rows:
        if not one.array or len(arrays[one.array]) == 1:
            kept.append(one)
        elif id(one) in last:
            kept.append(JobArray(tuple(last[id(one)])))
    return kept


@dataclass(frozen=True)
class Share:
    """What runs that ended used of what they held, in units of the resource times seconds; `used` is None where that is
    not known of all of them. Of memory it is peaks: `is_least` where some are known to be too low."""

    used: float | None
    allocated: float
    is_least: bool = False

    def __add__(self, other: Share) -> Share:
        used = None if self.used is None or other.used is None else self.used + other.used
        return Share(used, self.allocated + other.allocated, self.is_least or other.is_least)


def share(one: Told, resource: Mapping[str, object], name: str) -> Share | None:
    """Of one run, from its card's resource `name`; None where it held nothing of it, or has not ended."""
    held, used = resource["allocated"], resource["used"]
    if one.end is None or not isinstance(held, int | float) or not held:
        return None
    use = one.used.use
    is_least = Flag.PARTLY in use.flags or (name == "memory" and use.peak == Peak.TASK)
    found = Share(used if isinstance(used, int | float) else None, held, is_least)
    return replace(found, is_least=found.used is not None and is_least)
