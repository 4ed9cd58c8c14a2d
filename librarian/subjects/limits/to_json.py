"""Limits and pressure in a report's JSON: `limits`, `policy`, `flags`, `peaks`, `near`, `pressure`."""

from __future__ import annotations

from librarian.cycle.report import Report
from librarian.render.json.numbers import exact, plain, rounded, short
from librarian.subjects.limits.model import History, Limit
from librarian.subjects.limits.policy import Row
from librarian.subjects.limits.pressure import Pressure

Json = dict[str, object]


def limits_fields(report: Report) -> Json:
    """The fields of a report's JSON that tell of limits."""
    pictured = [observable.key for observable in report.pictured]
    pressure, history = report.pressure, report.history
    told = [key for key in pressure.totals if key not in report.untracked and (key in pictured or key in pressure.near)]
    return {
        "limits": {key: _limit(limit, history[key]) for key, limit in report.limits.items()},
        "policy": [policy_row(row) for row in report.policy],
        "flags": None if report.flags is None else list(report.flags),
        "peaks": {key: plain(rounded(pressure.peaks[key])) for key in pictured},
        "near": {key: seconds.tolist() for key, seconds in pressure.near.items() if key in told},
        "pressure": {key: _pressure(report, key, pressure.totals[key]) for key in told},
    }


def policy_row(row: Row) -> Json:
    """One limit, as `policy` has it; the limit in full, what is used with the digits of the means."""
    return {
        "setting": row.source.setting.name,
        "per": row.source.setting.per,
        "resource": row.source.resource,
        "name": row.name,
        "unit": row.unit,
        "limit": exact(row.source.value),
        "of": row.of,
        "used": None if row.used is None else short(row.used),
        "by": row.by,
        "binds": row.binds,
    }


def _limit(limit: Limit, history: History) -> Json:
    return {**_bare(limit), "history": [{"from": step.since, **_bare(step.limit)} for step in history]}


def _bare(limit: Limit) -> Json:
    return {"kind": limit.kind, "value": None if limit.value is None else exact(limit.value), "source": limit.source}


def _pressure(report: Report, key: str, pressure: Pressure) -> Json:
    limit, used = report.limits[key].value, report.counted[key]
    longest = pressure.longest
    return {
        "used": short(used),
        "limit": None if limit is None else exact(limit),
        "share": short(used / limit) if limit else None,
        "peak": {"value": short(pressure.peak), "at": pressure.peak_at},
        "seconds_near": pressure.near,
        "seconds_known": pressure.limited,
        "longest": None if longest is None else {"from": longest[0], "to": longest[1]},
        "holders": [
            {"user": holder.user, "mean": short(holder.mean), "share": short(holder.share)}
            for holder in pressure.holders
        ],
    }
