"""A site whose data tell of limits, the queue, waits and months: figures that are easy to recognise on the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.sites import NOW, Site

HOUR, DAY = 3600, 86400
Change = Callable[[dict[str, Any]], None]


@dataclass
class LimitsSite(Site):
    """A site; `change` may alter the data of each QoS before they are written."""

    change: Change = lambda data: None

    def datasets(self) -> dict[str, bytes]:
        """The data files by name."""
        found = {}
        for name, text in super().datasets().items():
            data = json.loads(text)
            told(data)
            self.change(data)
            found[name] = json.dumps(data).encode()
        return found


def told(data: dict[str, Any]) -> None:
    """Put into `data` what there is to tell of limits, queue, waits and months; its first three users take part."""
    bins, edges, now = len(data["time_idxs"]), data["edges"], data["metadata"]["last_updated_epoch"]
    users = data["users"]
    one, two, three = (*users, "x", "y", "z")[:3]
    data["peaks"] = {key: [10.0] * bins for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS")}
    data["peaks"]["NCPUS"][-2] = 77.0
    data["near"] = {"NCPUS": [0] * (bins - 2) + [1800, 0]}
    holders = [{"user": one, "mean": 60, "share": 0.75}, {"user": two, "mean": 20, "share": 0.25}]
    data["pressure"] = {"NCPUS": pressure(data, {"value": 77, "at": edges[-3]}, 1800, holders)}
    data["policy"] = [
        policy("GrpTRES", "group", "cpu", "CPUs", 100, used=40, binds=True),
        policy("GrpTRES", "group", "cpu", "CPUs", 2000, used=40, of="association lab"),
        policy("MaxTRESPerUser", "user", "cpu", "CPUs", 50, used=30, by=one, binds=True),
        policy("MaxWall", "job", "walltime", "walltime", 14 * DAY, unit="s", binds=True),
    ]
    data["flags"] = ["DenyOnLimit"]
    data["limits"]["NCPUS"] = {"kind": "limit", "value": 100, "source": "GrpTRES cpu"}
    data["queue"] = queue(one, two, three, now)
    demand = [None] * (bins - 3) + [0, 16, 32]
    data["waiting"] = {
        "NCPUS": {one: demand, "only waits": demand},
        "NGPUS": {},
        "sampled": [0] * (bins - 3) + [6, 6, 2],
    }
    data["waits"] = waits(one, two, edges[0], now)
    data["months"] = [month(data, "2026-10", one, two, 1), month(data, "2026-11", one, two, 2)]
    data["allocations"] = [allocation(data)]


def pressure(data: dict[str, Any], peak: dict[str, float], near: int, holders: list[dict[str, Any]]) -> dict[str, Any]:
    used = data["now"]["total"]["NCPUS"]
    known = data["totals"]["to"] - data["totals"]["from"]
    told = {"used": used, "limit": 100, "share": used / 100, "peak": peak, "seconds_near": near, "seconds_known": known}
    return {**told, "longest": None, "holders": holders}


def policy(setting: str, per: str, resource: str, name: str, limit: float, **more: Any) -> dict[str, Any]:
    row = {"setting": setting, "per": per, "resource": resource, "name": name, "unit": name, "limit": limit}
    return {**row, "of": "QoS avery", "used": None, "by": None, "binds": False, **more}


def queue(one: str, two: str, three: str, now: int) -> dict[str, Any]:
    def wish(jobs: int, cpus: int = 0, gpus: int = 0) -> dict[str, int]:
        return {"jobs": jobs, "NCPUS": cpus, "NGPUS": gpus, "MEMORY": 4 * cpus}

    def person(user: str, oldest: int | None, start: int | None, **amounts: int) -> dict[str, Any]:
        return {"user": user, **wish(**amounts), "oldest": oldest, "next_start": start}

    def reason(
        name: str, group: str, text: str, todo: str | None, users: dict[str, int], **amounts: int
    ) -> dict[str, Any]:
        row = {"reason": name, "group": group, **wish(**amounts), "users": users, "oldest": now - 2 * HOUR}
        return {**row, "next_start": now + HOUR, "text": text, "todo": todo, "holders": []}

    cpu = f"The group's 100 CPUs are in use; {one} holds 60."
    reasons = [
        reason("QOSGrpCpuLimit", "competing", cpu, "Wait.", {one: 4, two: 1}, jobs=5, cpus=40, gpus=2),
        reason("JobHeldUser", "held", "The user holds it.", "scontrol release frees it.", {three: 1}, jobs=1, cpus=4),
    ]
    return {
        "at": now,
        "error": None,
        "jobs": 6,
        "groups": {"competing": wish(5, 40, 2), "held": wish(1, 4), "dependency": wish(0), "begin": wish(0)},
        "users": [
            person(one, now - 2 * HOUR, now + HOUR, jobs=4, cpus=32, gpus=2),
            person(two, now - HOUR, None, jobs=1, cpus=8),
            person(three, None, None, jobs=1, cpus=4),
        ],
        "reasons": reasons,
        "oldest": {"user": one, "since": now - 2 * HOUR},
        "next_start": now + HOUR,
    }


def waits(one: str, two: str, start: int, now: int) -> dict[str, Any]:
    def row(user: str | None, kind: str, size: str | None, jobs: int, median: int) -> dict[str, Any]:
        return {"user": user, "kind": kind, "size": size, "jobs": jobs, "median": median, "p90": 10 * median}

    def columns(times: int) -> dict[str, list[Any]]:
        everybody = [row(None, "gpu", None, 2 * times, 600), row(None, "cpu", None, 7 * times, 60)]
        rows = [
            *everybody,
            row(None, "cpu", "1", times, 30),
            row(one, "gpu", None, times, 60),
            row(two, "cpu", None, 9, 6),
        ]
        return {name: [each[name] for each in rows] for name in rows[0]}

    ranges = {
        "24h": {"from": now - DAY, "to": now, "columns": columns(1)},
        "all": {"from": start, "to": now, "columns": columns(5)},
    }
    days = [
        {"from": start + n * DAY, "to": start + (n + 1) * DAY, "jobs": 3, "median": 60 * n, "p90": 900}
        for n in range(4)
    ]
    trend = [{**day, "kind": kind} for day in days for kind in ("gpu", "cpu")]
    return {
        "ranges": ranges,
        "trend": trend,
        "still": {"gpu": {"jobs": 0, "median": 0}, "cpu": {"jobs": 5, "median": 900}},
    }


def month(data: dict[str, Any], name: str, one: str, two: str, times: int) -> dict[str, Any]:
    def row(hours: float, jobs: int, failed: int) -> dict[str, Any]:
        by_key = {key: hours * times for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS", "BILLING")}
        return {
            "hours": by_key,
            "ended": {"COMPLETED": jobs - failed, "FAILED": failed},
            "jobs": jobs,
            "failed": failed,
        }

    begin = data["edges"][0]
    told = {"month": name, "from": begin, "to": NOW + DAY, "known_from": begin, "known_to": NOW, "complete": times == 1}
    return {
        **told,
        "total": row(100, 10, 1),
        "users": {one: row(75, 8, 0), two: row(25, 2, 1)},
        "accounts": {"lab": row(100, 10, 1)},
    }


def allocation(data: dict[str, Any]) -> dict[str, Any]:
    begin = NOW - 100 * DAY
    days = [begin + n * DAY for n in range(101)]
    told = {"name": "GPU-hours of the year", "key": "NGPUS", "unit": "GPU-hours", "amount": 1000, "from": begin}
    figures = {"used": 400, "even": 274, "projected": 1460, "known_from": begin, "qos": [data["metadata"]["qos"]]}
    return {
        **told,
        "to": begin + 365 * DAY,
        "now": NOW,
        **figures,
        "days": days,
        "cumulative": [4.0 * n for n in range(101)],
    }
