"""All rules on all QoS at one moment: what fires, what has changed, and what is to be told to whom. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from librarian.config.rule_options import HOUR, RuleOptions, comparison_of, seconds_of
from librarian.rules import hysteresis, readings
from librarian.rules.history import series
from librarian.rules.hysteresis import Law, Memory
from librarian.shared.calendar import DAY

Data = Mapping[str, Any]
FORGET = 30 * DAY
MOST = 2000  # spans that are kept
CLOSED, OPEN = "cleared", "fired"


@dataclass(frozen=True, order=True)
class Key:
    """A rule on a QoS, and the user whom it is about ("": the QoS as a whole)."""

    rule: str
    qos: str
    whom: str = ""

    def text(self) -> str:
        """As it is kept."""
        return json.dumps([self.rule, self.qos, self.whom])


@dataclass(frozen=True)
class Event:
    """That a rule `fired` or `cleared` (`what`) at a time (UTC epoch), in a sentence without a full stop; `to` names
    channels (none: all)."""

    key: Key
    what: str
    at: int
    text: str
    to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Now:
    """How a rule stands on a QoS: "firing", "quiet" or "unknown", since when it fires, in a sentence."""

    key: Key
    state: str
    since: int | None
    text: str


@dataclass(frozen=True)
class Span:
    """From when to when (UTC epochs; None: it goes on) a rule fired."""

    key: Key
    start: int
    end: int | None
    text: str = ""


@dataclass(frozen=True)
class Evaluated:
    """What came of it: the memory after it, how each rule stands, what is to be told, what began or ended."""

    memory: Mapping[Key, Memory]
    now: tuple[Now, ...]
    events: tuple[Event, ...]
    changes: tuple[Event, ...]


def law_of(rule: RuleOptions, interval: int) -> Law:
    """The law of a rule, where a cycle comes every `interval` seconds."""
    comparison, level = comparison_of(rule)
    clears = level if rule.clears is None else rule.clears
    clear_seconds = round(rule.clear_hours * HOUR)
    return Law(comparison, level, clears, seconds_of(rule), clear_seconds, max(HOUR, 3 * interval))


def evaluate(
    rules: Sequence[RuleOptions],
    data: Mapping[str, Data | None],
    memory: Mapping[Key, Memory],
    now: int,
    interval: int,
) -> Evaluated:
    """All rules at `now` (UTC epoch) on the JSON of each QoS (None: it has none). One that fails stops no other: what
    it would have found is unknown."""
    after: dict[Key, Memory] = {}
    told: list[Now] = []
    events: list[Event] = []
    changes: list[Event] = []
    for rule in rules:
        for qos in [name for name in data if not rule.qos or name in rule.qos]:
            content = data[qos]
            found = readings.unknown("no data yet") if content is None else None
            found = found or readings.read(rule, content or {}, now, interval)
            before = {key: one for key, one in memory.items() if (key.rule, key.qos) == (rule.name, qos)}
            one = _Look(rule, qos, found, now, interval)
            for key, was in {**dict.fromkeys(one.keys(), Memory()), **before}.items():
                became = one.step(key, was)
                if became.firing != was.firing:
                    changes.append(one.event(key, became, OPEN if became.firing else CLOSED))
                what = hysteresis.due(became, round(rule.quiet_hours * HOUR), now)
                if what and (what == OPEN or rule.tell_end):
                    events.append(one.event(key, became, what))
                became = hysteresis.after_telling(became, what, now)
                after |= {} if _is_over(became, rule, now) else {key: became}
                told += one.stands(key, became)
    return Evaluated(after, tuple(told), tuple(events), tuple(changes))


def _is_over(memory: Memory, rule: RuleOptions, now: int) -> bool:
    """Whether a memory says nothing that a new one would not."""
    quiet = memory.told_at is None or not 0 <= now - memory.told_at < round(rule.quiet_hours * HOUR)
    return quiet and replace(memory, told_at=None).idle


@dataclass(frozen=True)
class _Look:
    """One look at a rule on a QoS."""

    rule: RuleOptions
    qos: str
    found: readings.Readings
    now: int
    interval: int

    def keys(self) -> list[Key]:
        return [Key(self.rule.name, self.qos, whom) for whom in self.found.values]

    def step(self, key: Key, was: Memory) -> Memory:
        value = self.found.values.get(key.whom, self.found.absent)
        return hysteresis.step(law_of(self.rule, self.interval), was, value, self.now)

    def event(self, key: Key, memory: Memory, what: str) -> Event:
        return Event(key, what, self.now, self.words(key, memory), self.rule.to)

    def words(self, key: Key, memory: Memory) -> str:
        return readings.says(self.rule, self.qos, key.whom, memory.value)

    def stands(self, key: Key, memory: Memory) -> list[Now]:
        """How it stands; of single users those alone who are not quiet."""
        if memory.firing:
            return [Now(key, "firing", memory.since, self.words(key, memory))]
        if key.whom:
            return []
        if memory.unknown:
            return [Now(key, "unknown", None, f"{self.qos}: {self.found.why or 'not known'}")]
        return [Now(key, "quiet", None, self.words(key, memory))]


def standing(rules: Sequence[RuleOptions], evaluated: Evaluated) -> list[Now]:
    """How all stand, in the order of the rules, those that fire first; a rule on users of whom nobody makes it fire is
    quiet."""
    rank = {rule.name: number for number, rule in enumerate(rules)}
    return sorted(evaluated.now, key=lambda one: (one.state != "firing", rank[one.key.rule], one.key))


def replayed(rule: RuleOptions, qos: str, data: Data) -> list[Span] | None:
    """When a rule would have fired in the report's window, by what is kept by bin; None where nothing is."""
    points = series(rule, data)
    if points is None:
        return None
    law = law_of(rule, data["metadata"]["time_resolution_seconds"])
    memory, spans, key = Memory(), list[Span](), Key(rule.name, qos)
    for at, value in points:
        before, memory = memory, hysteresis.step(law, memory, value, at)
        if memory.firing and not before.firing:
            spans.append(Span(key, at, None, readings.says(rule, qos, "", value)))
        elif before.firing and not memory.firing:
            spans[-1] = replace(spans[-1], end=at)
    return spans


def logged(spans: Sequence[Span], changes: Sequence[Event], now: int) -> list[Span]:
    """What fired in the last 30 days, with what has changed: a span that ends is closed, one that begins is added."""
    kept = list(spans)
    for change in changes:
        if change.what == OPEN:
            kept.append(Span(change.key, change.at, None, change.text))
        else:
            for number in [n for n, span in enumerate(kept) if span.key == change.key and span.end is None]:
                kept[number] = replace(kept[number], end=max(change.at, kept[number].start))
    return [span for span in kept if span.end is None or now - span.end <= FORGET][-MOST:]
