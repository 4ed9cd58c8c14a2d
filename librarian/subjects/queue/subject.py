"""The queue: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from librarian.render.html.parts import Part, Shown
from librarian.shared.crowd import Standing
from librarian.shared.files import QUEUE, QUEUED
from librarian.shared.report import Report
from librarian.shared.resources import by_key
from librarian.shared.window import DAY
from librarian.subjects.limits.section import LimitsFacts, LimitsSection
from librarian.subjects.queue import plain, sample
from librarian.subjects.queue.demand import wanted_shares
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.model import shares
from librarian.subjects.queue.section import QueueFacts, QueueSection, build
from librarian.subjects.queue.to_json import queue_parts
from librarian.subjects.subject import Asking, Data, Facts, Json, Problems, Reading, Subject
from librarian.subjects.usage.section import UsageFacts, UsageSection


class Queue(Subject):
    """Who is pending, for what and why, and how long it took to start."""

    key = "queue"
    fields = ("queue", "waiting", "waits")

    def collect(self, asking: Asking) -> Problems:
        """Look at the queue of each QoS. What fails is kept beside it, and makes no data old: nothing is returned."""
        sample.look(asking)
        return []

    def read(self, reading: Reading) -> QueueFacts:
        """The queue as it was last seen, and samples of it in the window."""
        kept, window = QueueSamples(reading.store), reading.window
        samples = kept.between(reading.scope, window.start - DAY, window.now + DAY)
        return QueueFacts(kept.last(reading.scope), samples, reading.scope == reading.scope.whole)

    def standing(self, facts: Facts) -> Standing:
        """Shares of the jobs that wait, of what was wanted in the window, and of the runs that started in it."""
        seen, samples = facts[QueueFacts].seen, facts[QueueFacts].samples
        starts = facts[UsageFacts].tally.starts
        return {"queue": shares(seen), "waiting": wanted_shares(samples), "waits": starts.shares}

    def build(self, facts: Facts, report: Report) -> QueueSection:
        """Who is pending and why, explained by the limits where these are known."""
        known = facts.get(LimitsFacts)
        use, limits = report[UsageSection], report.get(LimitsSection)
        return build(facts[UsageFacts], facts[QueueFacts], use, limits, known, report.gathered)

    def to_json(self, report: Report) -> Json:
        """The queue, what was asked for by bin, waiting times."""
        return queue_parts(report)

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """Reasons, users, waiting times."""
        return plain.parts(data, zone)

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """How much is pending, and the largest reason."""
        return plain.glance(data, zone)

    def charts(self) -> Mapping[str, str]:
        """What pending jobs ask for over time, as the page names these charts."""
        return {f"WANTED:{key}": f"{by_key(key).name} that waiting jobs want" for key in QUEUED}

    def pictures(self) -> Mapping[str, str]:
        """What is asked for on top of what is in use."""
        return {QUEUE: "Waiting"}

    def inputs(self, report: Report, name: str) -> object:
        """What is in use, its limits, and what was asked for."""
        use, wanted = report[UsageSection], report[QueueSection].wanted
        used = [use.usage.integrals[use.usage.row(key)].sum(axis=0) for key in QUEUED]
        levels = [report.levels(key) for key in QUEUED]
        return use.untracked, use.usage.integrals.any(), used, levels, wanted, report.everybody, report.others

    def settled(self, report: Report, name: str) -> object:
        """The same up to the bin that is not over."""
        use, wanted = report[UsageSection], report[QueueSection].wanted
        used = [use.usage.integrals[use.usage.row(key), :, :-1].sum(axis=0) for key in QUEUED]
        levels = [report.levels(key) for key in QUEUED]
        means = {key: means[:, :-1] for key, means in wanted.means.items()}
        return use.untracked, used, levels, wanted.users, means, wanted.sampled[:-1]

    def draw(self, report: Report, name: str) -> Any:
        """Charts of use with what was asked for on top."""
        from librarian.subjects.queue import pictures  # matplotlib is loaded only where there is something to draw

        return pictures.draw(report)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """What the picture shows, in words."""
        return plain.describe(data, zone)
