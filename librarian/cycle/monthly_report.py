"""`librarian report`: months and allocations from the store, without asking Slurm."""

from __future__ import annotations

from collections.abc import Sequence

from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.cycle.assemble import Source
from librarian.cycle.report import untracked
from librarian.errors import ConfigError, StoreError
from librarian.shared.calendar import is_month
from librarian.subjects.months.tables import Statement

ALL = "all"


def statements(setup: Setup, month: str | None, names: Sequence[str]) -> list[Statement]:
    """What is known of `month` (2026-10, `ALL`; None is the newest known) of the QoS `names`, or of all configured.

    Of a QoS that knows nothing of the month there is a statement without months, as long as another one does. Raises
    `ConfigError` for a month or QoS that is not known, `StoreError` when nothing was collected yet.
    """
    wanted = _wanted(setup, names)
    if month and month.lower() != ALL and not is_month(month):
        raise ConfigError(f"{month} is not a month", todo="write it as in 2026-10, or all")
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    found = [source for source in stages.look(setup) if source.qos.name in wanted and source.collected]
    every = sorted({one.name for source in found if source.collected for one in source.collected.months})
    if not every:
        raise StoreError("nothing was collected yet", f"of {', '.join(wanted)}", "run: librarian run")
    chosen = every[-1] if month is None else month.lower()
    if chosen != ALL and chosen not in every:
        raise ConfigError(f"nothing is known of {chosen}", f"months that are known: {', '.join(every)}")
    return [made for source in found if (made := _statement(setup, source, chosen))]


def _statement(setup: Setup, source: Source, chosen: str) -> Statement | None:
    """The allocations go with the month that they stand in: the one that goes on."""
    collected, measured = source.collected, source.measured
    if collected is None or measured is None:
        return None
    months = tuple(one for one in collected.months if chosen in (ALL, one.name))
    running = any(one.begin <= collected.as_of <= one.end for one in months)
    return Statement(
        source.qos.name,
        source.qos.title,
        setup.config.cluster.name,
        setup.zone,
        collected.as_of,
        months,
        collected.paces if running else (),
        untracked(measured.usage, collected.gpus_tracked),
    )


def _wanted(setup: Setup, names: Sequence[str]) -> list[str]:
    known = {entry.name.lower(): entry.name for entry in setup.config.qos}
    strange = [name for name in names if name.lower() not in known]
    if strange:
        raise ConfigError(f"{strange[0]} is not a configured QoS", f"there are {', '.join(known.values())}")
    return [known[name.lower()] for name in names] or list(known.values())
