"""Limits and pressure in a report's JSON: `thresholds`, `limits`, `policy`, `flags`, `peaks`, `near`, `pressure`."""

from __future__ import annotations

from librarian.render.json.numbers import plain, rounded
from librarian.render.json.scalars import exact, short
from librarian.shared.report import Report
from librarian.subjects.limits.model import History, Limit
from librarian.subjects.limits.policy_json import policy_row
from librarian.subjects.limits.pressure import Pressure
from librarian.subjects.limits.section import LimitsSection
from librarian.subjects.usage.section import UsageSection

Json = dict[str, object]


def limits_fields(report: Report) -> Json:
    """The fields of a report's JSON that tell of limits."""
    use, section = report[UsageSection], report[LimitsSection]
    pictured = [observable.key for observable in use.pictured]
    pressure, history = section.pressure, section.history
    told = [key for key in pressure.totals if key not in use.untracked and (key in pictured or key in pressure.near)]
    return {
        "thresholds": {key: exact(section.limits[key].threshold) for key in pictured},
        "limits": {key: _limit(limit, section.used[key], history[key]) for key, limit in section.limits.items()},
        "policy": [policy_row(row) for row in section.policy],
        "flags": None if section.flags is None else list(section.flags),
        "peaks": {key: plain(rounded(pressure.peaks[key])) for key in pictured},
        "near": {key: seconds.tolist() for key, seconds in pressure.near.items() if key in told},
        "pressure": {key: _pressure(section, key, pressure.totals[key]) for key in told},
    }


def _limit(limit: Limit, used: float | None, history: History) -> Json:
    told = None if used is None else short(used)
    return {**_bare(limit), "used": told, "history": [{"from": step.since, **_bare(step.limit)} for step in history]}


def _bare(limit: Limit) -> Json:
    return {"kind": limit.kind, "value": None if limit.value is None else exact(limit.value), "source": limit.source}


def _pressure(section: LimitsSection, key: str, pressure: Pressure) -> Json:
    limit, used = section.limits[key].value, section.counted[key]
    longest = pressure.longest
    return {
        "used": short(used),
        "limit": None if limit is None else exact(limit),
        "share": short(used / limit) if limit and section.used[key] is not None else None,
        "peak": {"value": short(pressure.peak), "at": pressure.peak_at},
        "seconds_near": pressure.near,
        "seconds_known": pressure.limited,
        "longest": None if longest is None else {"from": longest[0], "to": longest[1]},
        "holders": [
            {"user": holder.user, "mean": short(holder.mean), "share": short(holder.share)}
            for holder in pressure.holders
        ],
    }
