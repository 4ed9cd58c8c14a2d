"""Efficiency: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from librarian.render.html.parts import Part, Shown
from librarian.shared.crowd import Standing
from librarian.shared.files import EFFICIENCY
from librarian.shared.report import Report
from librarian.store import Store
from librarian.subjects.efficiency import plain
from librarian.subjects.efficiency.collect import collect
from librarian.subjects.efficiency.facts import EfficiencyFacts, Found, Tallied, binned, shares
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Total
from librarian.subjects.efficiency.options import EfficiencyOptions, Rules
from librarian.subjects.efficiency.section import EfficiencySection, begins, build, told_of
from librarian.subjects.efficiency.tally import evidence_of, found_of
from librarian.subjects.efficiency.tally_kept import Tallies
from librarian.subjects.efficiency.to_json import efficiency_json
from librarian.subjects.subject import Asking, Data, Facts, Json, Problems, Reading, Subject, Tidying


def options_of(options: Mapping[str, Any]) -> EfficiencyOptions:
    """The subject's own among what the configuration says to subjects."""
    found = options.get("efficiency")
    return found if isinstance(found, EfficiencyOptions) else EfficiencyOptions()


class Efficiency(Subject):
    """How much of what runs held they used."""

    key = "efficiency"
    fields = ("efficiency",)

    def collect(self, asking: Asking) -> Problems:
        """Ask what the runs used that ended. What fails is kept beside it, and makes no data old: nothing is
        returned."""
        options = options_of(asking.options)
        if options.enabled:
            collect(asking, options.collect_seconds)
        return []

    def read(self, reading: Reading) -> EfficiencyFacts | None:
        """What was used in the window; None where it was never asked for, or is not to be told."""
        kept, window = RunUses(reading.store), reading.window
        until = kept.until(reading.scope)
        if until is None or not options_of(reading.options).enabled:
            return None
        begin, end = window.start, int(window.edges[-1])
        slots = kept.by_slot(reading.scope, begin, end)
        options, totals = options_of(reading.options), kept.totals(reading.scope, begin, end)
        return EfficiencyFacts(
            known=kept.known(reading.scope),
            until=until,
            totals=totals,
            ranges={name: kept.totals(reading.scope, since, end) for name, since in begins(window).items()},
            bins={key: binned(by_start, window) for key, by_start in slots.items()},
            tallied=_tallied(reading, options.rules, until, totals),
            prices=options.prices,
        )

    def standing(self, facts: Facts) -> Standing:
        """Shares of what runs that ended held in the window."""
        found = facts.get(EfficiencyFacts)
        return {plain.TABLE: shares(found.totals)} if found else {}

    def build(self, facts: Facts, report: Report) -> EfficiencySection | None:
        """The section; None where it was never asked what runs used."""
        found = facts.get(EfficiencyFacts)
        return build(found, report.window) if found else None

    def to_json(self, report: Report) -> Json:
        """Sums of the window and of ranges, and means by bin."""
        return {"efficiency": efficiency_json(report[EfficiencySection])}

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """Users by what they left unused."""
        return plain.parts(data, zone)

    def pictures(self) -> Mapping[str, str]:
        """What was used inside what was allocated."""
        return {EFFICIENCY: "Efficiency"}

    def inputs(self, report: Report, name: str) -> object:
        """The areas of each resource, its sums, and which time is known."""
        section, told = report[EfficiencySection], told_of(report)
        rows = [(o.key, o.name, o.unit, o.hours, section.bins[o.key], section.whole.total[o.key]) for o in told]
        return rows, section.known

    def settled(self, report: Report, name: str) -> object:
        """Which resources there are: whatever ends changes hours before, so no bin is final."""
        return [one.key for one in told_of(report)]

    def draw(self, report: Report, name: str) -> Any:
        """A chart a resource."""
        from librarian.subjects.efficiency import pictures  # matplotlib is loaded only where there is something to draw

        return pictures.draw(report)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """What the picture shows, in words."""
        words = "What jobs that ended used inside what was allocated to them, over time; "
        return Shown(f"{words}what is not measured is hatched, and time of which nothing is known is shaded.")

    def people(self, store: Store) -> frozenset[str]:
        """Every user of whose runs was told what they used."""
        return RunUses(store).people()

    def tidy(self, tidying: Tidying) -> int:
        """Drop runs that ended long ago; what they came to stays."""
        return RunUses(tidying.store).forget(tidying.before)


def _tallied(reading: Reading, rules: Rules, until: int, totals: tuple[Total, ...]) -> Tallied | None:
    """What runs come to that ended since the window's first midnight; None where no day is known. What users without
    any hours needed is left out: they are in no other table either."""
    scope, window = reading.scope, reading.window
    kept = Tallies(reading.store, scope, rules, lambda begin, end: RunUses(reading.store).runs(scope, begin, end))
    begin, whole = kept.of(window.start, min(until, window.now), window.zone)
    if begin >= until:
        return None
    users = {total.user for total in totals}
    shapes = [evidence_of(place, needed) for place, needed in whole.shapes.items() if place[0] in users]
    parts = {name: kept.since(since) for name, since in begins(window).items()}
    ranges = {name: Found(part[0], part[1].runs, found_of(part[1], rules)) for name, part in parts.items() if part}
    return Tallied(begin, until, rules, whole.runs, found_of(whole, rules), whole.spread, tuple(shapes), ranges)
