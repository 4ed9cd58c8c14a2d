"""Use: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from librarian.render.html.parts import Part, Shown
from librarian.shared.crowd import Standing
from librarian.shared.files import OVERVIEW
from librarian.shared.names import UserName
from librarian.shared.report import Report
from librarian.shared.resources import pictured
from librarian.subjects.jobs.section import JobsFacts
from librarian.subjects.subject import Data, Facts, Json, Reading, Subject, Tidying
from librarian.subjects.usage import bin_cache, plain, rest_kept
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.csv import usage_gzip
from librarian.subjects.usage.keep import Hours
from librarian.subjects.usage.section import UsageFacts, UsageSection, build, gpus_seen
from librarian.subjects.usage.summary import shares, standing
from librarian.subjects.usage.to_json import usage_fields
from librarian.subjects.usage.unfinished import unfinished

if TYPE_CHECKING:
    from librarian.shared.scope import Scope
    from librarian.store import Store


class Usage(Subject):
    """Who holds what, by bin, and what that comes to."""

    key = "usage"
    needed = True
    fields = (
        *("users", "resources", "observables", "gpu_types", "units", "nice_names"),
        *("untracked", "now", "totals", "ended", "others"),
    )
    first = ("resources", "gpu_types", "units", "nice_names", "untracked", "now", "others")

    def read(self, reading: Reading) -> UsageFacts:
        """Compute the bins that are not kept; the hours that are over are written, then the bins."""
        found = bin_cache.measure(reading.store, reading.scope, reading.window)
        _keep_hours(reading, found)
        bin_cache.keep(reading.store, reading.scope, found)
        reading.shared[bin_cache.CachedBins] = found
        past = unfinished(reading.scope, found.jobs, found.usage)
        rest_kept.keep(reading.store, past, gpus_seen(found.tally.usage), found.edition)
        return UsageFacts(found.tally, past)

    def weights(self, facts: Facts) -> Mapping[UserName, float]:
        """Each user's largest share of anything that has a chart."""
        return shares([facts[UsageFacts].usage])

    def standing(self, facts: Facts) -> Standing:
        """Shares of what was held in the window, and of what is held now."""
        return standing(facts[UsageFacts].usage, facts[UsageFacts].tally.ended)

    def build(self, facts: Facts, report: Report) -> UsageSection:
        """What was held, with its tables."""
        return build(facts[JobsFacts], facts[UsageFacts], report.gathered)

    def to_json(self, report: Report) -> Json:
        """Means by bin, what is held now, totals."""
        return usage_fields(report)

    def csv(self, report: Report, facts: Facts) -> bytes:
        """Means by bin of everybody, compressed."""
        return usage_gzip(report, facts[UsageFacts].usage)

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """Tables of now and of the window."""
        return plain.parts(data, zone)

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """Who holds most now."""
        return plain.glance(data)

    def charts(self) -> Mapping[str, str]:
        """Areas by user, of each resource that has a chart."""
        return {observable.key: observable.name for observable in pictured()}

    def pictures(self) -> Mapping[str, str]:
        """The same charts, and all of them on one sheet."""
        return {**self.charts(), OVERVIEW: "Overview"}

    def inputs(self, report: Report, name: str) -> object:
        """What the charts show; an empty one tells whether there were any jobs at all."""
        return _shown(report, name, report.window.bins), report.others

    def settled(self, report: Report, name: str) -> object:
        """The same up to the bin that is not over."""
        return _shown(report, name, report.window.bins - 1)

    def draw(self, report: Report, name: str) -> Any:
        """A chart of stacked areas, or the sheet of all."""
        from librarian.subjects.usage import pictures  # matplotlib is loaded only where there is something to draw

        return pictures.draw(report, name)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """Means, peaks and who used most, in words."""
        return plain.describe(data, name, zone)

    def written(self, store: Store, scope: Scope) -> int:
        """Hours are written up to the last one in which anybody used anything."""
        return Hours(store).written(scope)

    def tidy(self, tidying: Tidying) -> int:
        """Drop bins that are kept of QoS that nobody asks for any more."""
        tidying.store.forget_bins([watched.scope for watched in tidying.watched])
        return 0


def _shown(report: Report, name: str, bins: int) -> object:
    section = report[UsageSection]
    usage, told = section.usage, [o for o in section.pictured if name in (OVERVIEW, o.key)]
    charts = [
        ((o.key, o.name, o.unit), usage.integrals[usage.row(o.key), :, :bins], report.levels(o.key)) for o in told
    ]
    return section.users, section.untracked, usage.users, usage.integrals.any(), charts


def _keep_hours(reading: Reading, found: bin_cache.CachedBins) -> None:
    """Keep the finished bins for good, unless somebody else has written newer runs meanwhile."""
    window = found.fresh
    if window.bins > 1 or int(window.edges[-1]) == window.now:
        Hours(reading.store).keep(reading.scope, found.usage, by_account(found.jobs, window), found.edition)
